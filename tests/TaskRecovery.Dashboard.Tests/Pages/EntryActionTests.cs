using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The retry and the cancellation of one entry: what is said about them, and how they are undone.</summary>
public sealed class EntryActionTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_retry_can_be_undone_from_its_note()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var location = await PostAsync(app, $"jobs/entries/{Shop.FailedEntry}/retry");
        using var redirected = Requests.Get($"jobs/entries/{Shop.FailedEntry}?did=retried&n={Shop.FailedEntry}", roles: "ops");
        redirected.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var next = await app.Client.SendAsync(redirected, Cancellation);

        Assert.Equal($"../../entries/{Shop.FailedEntry}?did=retried&n={Shop.FailedEntry}", location);
        Assert.Equal([$"retry {Shop.FailedEntry}"], app.Operations.Done.Select(static done => done.Action));
        var page = await next.Content.ReadAsStringAsync(Cancellation);
        Assert.Contains($"Entry {Shop.FailedEntry} is back in its queue.", page, StringComparison.Ordinal);
        Assert.Contains($"action=\"../entries/{Shop.FailedEntry}/cancel\"", page, StringComparison.Ordinal);
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

    [Fact]
    public async Task A_result_that_is_not_known_in_time_is_not_claimed()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Operations.BusySteps = int.MaxValue;
        app.Operations.WhenBusy = () => app.Time.Advance(TimeSpan.FromSeconds(1));

        var location = await PostAsync(app, $"jobs/entries/{Shop.WaitingEntry}/cancel");

        Assert.Equal($"../../entries/{Shop.WaitingEntry}?did=cancelling&n={Shop.WaitingEntry}", location);
        Assert.Equal(int.MaxValue - 2, app.Operations.BusySteps);
        var page = await FollowAsync(app, location);
        Assert.Contains($"Entry {Shop.WaitingEntry} is being cancelled", page, StringComparison.Ordinal);
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

    private static async Task<string> PostAsync(DashboardApp app, string path)
    {
        using var response = await app.Client.SendAsync(Requests.Post(path), Cancellation);
        return response.Headers.Location!.OriginalString;
    }

    // As a browser follows the redirect of an action on an entry.
    private static async Task<string> FollowAsync(DashboardApp app, string location)
    {
        using var request = Requests.Get($"jobs/{location["../../".Length..]}", roles: "ops");
        request.Headers.Add("Sec-Fetch-Site", "same-origin");
        using var response = await app.Client.SendAsync(request, Cancellation);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }
}
