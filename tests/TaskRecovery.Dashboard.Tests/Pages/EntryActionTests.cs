using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The retry and the cancellation of one entry: what is said about them, and how they are undone.</summary>
public sealed class EntryActionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", RetryFrom.LastStep)]
    [InlineData("start", RetryFrom.Start)]
    public async Task One_retry_is_an_operation_that_can_be_undone_from_its_note(string from, RetryFrom expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var location = await PostAsync(app, $"jobs/entries/{Shop.FailedEntry}/retry", ("from", from));
        var page = await FollowAsync(app, location);

        Assert.Equal($"../../entries/{Shop.FailedEntry}?did=retried&n={Shop.FailedEntry}&undo=7", location);
        Assert.Equal(["preview Retry", "start operation 7"], app.Operations.Done.Select(static done => done.Action));
        Assert.Equal([Shop.FailedEntry], app.Operations.Prepared?.EntryIds);
        Assert.Equal(expected, app.Operations.Prepared?.Retry?.From);
        Assert.Contains($"Entry {Shop.FailedEntry} is back in its queue.", page, StringComparison.Ordinal);
        Assert.Contains("action=\"../operations/7/undo\"><button class=\"small\">Undo</button>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_retry_that_can_not_be_undone_can_be_cancelled()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Monitor.Features = MonitorFeatures.All & ~MonitorFeatures.BulkOperations;

        var location = await PostAsync(app, $"jobs/entries/{Shop.FailedEntry}/retry");
        var page = await FollowAsync(app, location);

        Assert.Equal($"../../entries/{Shop.FailedEntry}?did=retried&n={Shop.FailedEntry}", location);
        Assert.Equal([$"retry {Shop.FailedEntry}"], app.Operations.Done.Select(static done => done.Action));
        Assert.Contains(
            $"action=\"../entries/{Shop.FailedEntry}/cancel\"><button class=\"small\">Cancel it</button>", page, StringComparison.Ordinal);
        Assert.DoesNotContain(">Undo</button>", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_cancellation_is_an_operation_that_can_be_undone()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/cancel");

        Assert.Equal($"../../entries/{Shop.WaitingEntry}?did=cancelled&n={Shop.WaitingEntry}&undo=7", location);
        Assert.Equal([Shop.WaitingEntry], app.Operations.Prepared?.EntryIds);
    }

    [Theory]
    [InlineData(OperatorResult.Done, "cancelled", true)]
    [InlineData(OperatorResult.AlreadyEnded, "refused-ended", false)]
    [InlineData(OperatorResult.NotFound, "refused-missing", false)]
    public async Task The_result_is_that_of_the_entry_if_another_process_was_doing_the_step(
        OperatorResult result, string expected, bool canUndo)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        (app.Operations.BusySteps, app.Operations.EntryResult) = (1, result);

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/cancel");

        Assert.Equal(
            $"../../entries/{Shop.WaitingEntry}?did={expected}&n={Shop.WaitingEntry}{(canUndo ? "&undo=7" : "")}", location);
    }

    [Theory]
    [InlineData("retry", "retried")]
    [InlineData("cancel", "cancelled")]
    public async Task What_was_done_is_said_also_if_the_entries_of_the_operation_can_not_be_read_in_time(string verb, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.System.Operations[0] = app.System.Operations[0] with { State = OperationState.Ended, Done = 1 };
        app.Operations.EntriesFailure = new TimeoutException();

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/{verb}");

        Assert.Equal($"../../entries/{Shop.WaitingEntry}?did={expected}&n={Shop.WaitingEntry}&undo=7", location);
    }

    [Theory]
    [InlineData("retry", "retrying", "is being retried")]
    [InlineData("cancel", "cancelling", "is being cancelled")]
    public async Task A_result_that_is_not_known_in_time_is_not_claimed(string verb, string expected, string words)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.BusySteps = int.MaxValue;
        app.Operations.WhenBusy = () => app.Time.Advance(TimeSpan.FromSeconds(1));

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/{verb}");

        Assert.Equal($"../../entries/{Shop.WaitingEntry}?did={expected}&n={Shop.WaitingEntry}", location);
        Assert.Equal(int.MaxValue - 2, app.Operations.BusySteps);
        var page = await FollowAsync(app, location);
        Assert.Contains($"Entry {Shop.WaitingEntry} {words}", page, StringComparison.Ordinal);
        Assert.DoesNotContain(">Undo</button>", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(OperationResult.Expired, "operation-expired")]
    [InlineData(OperationResult.OtherActor, "operation-other")]
    [InlineData(OperationResult.WrongState, "operation-state")]
    [InlineData(OperationResult.NotFound, "refused-missing")]
    public async Task An_operation_that_did_not_start_is_not_called_done(OperationResult result, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.OperationResult = result;

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/cancel");

        Assert.Equal($"../../entries/{Shop.WaitingEntry}?did={expected}&n={Shop.WaitingEntry}", location);
    }

    [Fact]
    public async Task The_event_of_an_operation_on_one_entry_names_the_entry()
    {
        var system = Shop.Open();
        system.Events.Add(new QueueEvent
        {
            Id = 11,
            At = system.Now,
            Kind = QueueEventKind.OperationStarted,
            EntryId = Shop.FailedEntry,
            OperationId = 7,
            Subject = nameof(BulkAction.Retry),
            Entries = 1,
            Actor = "ada",
        });
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(Requests.Get("jobs/events"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains(
            $"Operation 7</a> (retry of <a class=\"id\" href=\"./entries/{Shop.FailedEntry}\">{Shop.FailedEntry}</a>) started", page,
            StringComparison.Ordinal);
    }

    private static async Task<string> PostAsync(DashboardApp app, string path, params (string Name, string Value)[] fields)
    {
        using var response = await app.Client.SendAsync(Requests.Post(path, fields: fields), Cancellation);
        return response.Headers.Location!.OriginalString;
    }

    // As a browser follows the redirect of an action on an entry.
    private static async Task<string> FollowAsync(DashboardApp app, string location)
    {
        using var request = Requests.Get($"jobs/{location["../../".Length..]}", roles: "ops", site: "same-origin");
        using var response = await app.Client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }
}
