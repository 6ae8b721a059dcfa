using System.Net;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>The preview of a bulk operation shows some of the entries that it would change.</summary>
public sealed class OperationPageTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_preview_of_given_ids_shows_those_of_them_that_the_user_sees(bool hasScope)
    {
        var system = Shop.Open();
        var scope = hasScope ? new EntryScope { Queues = ["payments"] } : null;
        var own = system.Lives.First(static life => life.Entry.Queue == "payments").Entry.Id;
        var other = system.Lives.First(static life => life.Entry.Queue == "default").Entry.Id;
        system.Operations.Add(system.Operations.Find(static one => one.Id == 7)! with
        {
            Id = 8,
            Query = scope is null ? null : new EntryQuery { Scope = scope },
            SampleIds = [own, other, 1],
        });
        await using var app = await DashboardApp.StartAsync(
            system, new AppSetup { Configure = options => options.Scope = hasScope ? _ => scope : null });

        using var response = await app.Client.SendAsync(
            Requests.Get("jobs/operations/8", roles: "ops"), TestContext.Current.CancellationToken);
        var page = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Contains($"href=\"../entries/{own}\"", page, StringComparison.Ordinal);
        Assert.Equal(!hasScope, page.Contains($"href=\"../entries/{other}\"", StringComparison.Ordinal));
        Assert.DoesNotContain("href=\"../entries/1\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("life", app.System.Asked);
    }

    [Theory]
    [InlineData(OperationState.Prepared)]
    [InlineData(OperationState.Ended)]
    public async Task The_page_of_an_operation_names_each_condition_and_where_a_retry_starts(OperationState state)
    {
        await using var app = await DashboardApp.StartAsync(WithConditions(state));

        var page = await GetAsync(app, "jobs/operations/8", roles: "ops,data");

        Assert.All(
            (string[])
            [
                "failed, cancelled", "payments", "pay.*", "crash_loop", "shop-web-7", $"href=\"../jobs/{Shop.ReportJob}\"",
                "2026-11-20 01:00:00", "2026-11-20 02:00:00", "2026-11-20 03:00:00", "2026-11-20 04:00:00",
                "0af7651916cd43dd8448eb211c80319c", "order-4711", "tenant=acme", "a text of the arguments",
                "from the start, without finished steps and checkpoint, not before 2026-12-24T00:00:00Z",
            ],
            condition => Assert.Contains(condition, page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_conditions_on_data_are_not_shown_to_a_user_who_may_not_search_data()
    {
        await using var app = await DashboardApp.StartAsync(WithConditions(OperationState.Prepared));

        var page = await GetAsync(app, "jobs/operations/8", roles: "ops");

        Assert.Contains("payments", page, StringComparison.Ordinal);
        Assert.Contains("shown to users who may search data", page, StringComparison.Ordinal);
        Assert.All(
            (string[])["order-4711", "tenant=acme", "a text of the arguments"],
            condition => Assert.DoesNotContain(condition, page, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_life_of_an_entry_names_a_retry_from_the_start()
    {
        var system = Shop.Open();
        var index = system.Lives.FindIndex(static life => life.Entry.Id == Shop.FailedEntry);
        system.Lives[index] = system.Lives[index] with
        {
            Operations =
            [
                new EntryOperation
                {
                    OperationId = 5,
                    Action = BulkAction.Retry,
                    Result = OperatorResult.Done,
                    Audit = new AuditInfo("ada"),
                    StartedAt = system.Now,
                    Retry = new RetryOptions { From = RetryFrom.Start },
                },
            ],
        };
        await using var app = await DashboardApp.StartAsync(system);

        var page = await GetAsync(app, $"jobs/entries/{Shop.FailedEntry}", roles: "");

        Assert.Contains("from the start, without finished steps and checkpoint · started by", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_undo_of_several_entries_shows_their_number_and_the_environment_first()
    {
        var system = Shop.Open();
        system.Operations.Add(system.Operations.Find(static one => one.Id == 5)! with { Id = 8, Expected = new Count(2), Done = 2 });
        system.Operations.Add(system.Operations.Find(static one => one.Id == 5)! with { Id = 9, Expected = new Count(1), Done = 1 });
        await using var app = await DashboardApp.StartAsync(system);

        var several = await GetAsync(app, "jobs/operations/8", roles: "ops");
        var preview = await GetAsync(app, "jobs/operations/8/undo", roles: "ops");
        var only = await GetAsync(app, "jobs/operations/9", roles: "ops");

        Assert.Contains("href=\"../operations/8/undo\">Undo …</a>", several, StringComparison.Ordinal);
        Assert.DoesNotContain("action=\"../operations/8/undo\"", several, StringComparison.Ordinal);
        Assert.Matches("<strong>2</strong> entries in\\s+<span class=\"environment careful\">Staging</span>", preview);
        Assert.Contains("action=\"../../operations/8/undo\"", preview, StringComparison.Ordinal);
        Assert.Contains("Some of its entries", preview, StringComparison.Ordinal);
        Assert.Contains("action=\"../operations/9/undo\"", only, StringComparison.Ordinal);
        Assert.Empty(app.Operations.Done);
    }

    [Fact]
    public async Task An_operation_that_can_not_be_undone_has_no_preview_of_its_undo()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        // It runs, and was undone already.
        foreach (var id in (int[])[6, 3])
        {
            using var response = await app.Client.SendAsync(
                Requests.Get($"jobs/operations/{id}/undo", roles: "ops"), TestContext.Current.CancellationToken);

            Assert.Equal($"../../operations/{id}", response.Headers.Location?.OriginalString);
        }

        using var missing = await app.Client.SendAsync(
            Requests.Get("jobs/operations/99/undo", roles: "ops"), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, missing.StatusCode);
    }

    [Fact]
    public async Task The_preview_of_a_retry_promises_no_undo_of_what_has_run()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());

        var page = await GetAsync(app, "jobs/operations/7", roles: "ops");

        Assert.Contains("what has not run yet can be ended again", page, StringComparison.Ordinal);
        Assert.DoesNotContain("and undo it", page, StringComparison.Ordinal);
    }

    private static FakeSystem WithConditions(OperationState state)
    {
        var system = Shop.Open();
        var day = new DateTimeOffset(2026, 11, 20, 0, 0, 0, TimeSpan.Zero);
        system.Operations.Add(system.Operations.Find(static one => one.Id == 7)! with
        {
            Id = 8,
            State = state,
            Query = new EntryQuery
            {
                States = [EntryState.Failed, EntryState.Cancelled],
                Queue = "payments",
                Kind = "pay.*",
                Reason = "crash_loop",
                Node = "shop-web-7",
                JobId = Shop.ReportJob,
                CreatedFrom = day.AddHours(1),
                CreatedTo = day.AddHours(2),
                EndedFrom = day.AddHours(3),
                EndedTo = day.AddHours(4),
                TraceId = "0af7651916cd43dd8448eb211c80319c",
                UniqueKey = "order-4711",
                Metadata = KeyValuePair.Create("tenant", "acme"),
                Text = "a text of the arguments",
            },
            Retry = new RetryOptions { From = RetryFrom.Start, RunAt = new DateTimeOffset(2026, 12, 24, 0, 0, 0, TimeSpan.Zero) },
        });
        return system;
    }

    private static async Task<string> GetAsync(DashboardApp app, string path, string roles)
    {
        using var response = await app.Client.SendAsync(Requests.Get(path, roles: roles), TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }
}
