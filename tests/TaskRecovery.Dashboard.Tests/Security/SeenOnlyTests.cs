using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Security;

/// <summary>Lists that are restricted after they were read: their pages are full, and following their links finds everything.</summary>
public sealed partial class SeenOnlyTests
{
    private const int Own = 120;
    private const int Others = 2_300;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tasks_of_one_tenant_fill_their_pages()
    {
        var system = Shop.Open();
        AddTasks(system);
        await using var app = await DashboardApp.StartAsync(system, Scoped(new EntryScope { Queues = ["own"] }));

        var pages = await FollowAsync(app, "tasks", EntryLink());

        Assert.Equal([50, 50, 20], pages.Select(static page => page.Count));
        Assert.Equal(Own, pages.SelectMany(static page => page).Distinct().Count());
        Assert.DoesNotContain("job", system.Asked);
    }

    [Fact]
    public async Task Operations_of_one_tenant_fill_their_pages()
    {
        var scope = new EntryScope { Queues = ["own"] };
        var system = Shop.Open();
        AddOperations(system, scope);
        await using var app = await DashboardApp.StartAsync(system, Scoped(scope));

        var pages = await FollowAsync(app, "operations", OperationLink());

        Assert.Equal([50, 50, 20], pages.Select(static page => page.Count));
        Assert.Equal(Own, pages.SelectMany(static page => page).Distinct().Count());
    }

    [Fact]
    public async Task The_api_says_where_the_next_page_of_operations_begins()
    {
        var scope = new EntryScope { Queues = ["own"] };
        var system = Shop.Open();
        AddOperations(system, scope);
        await using var app = await DashboardApp.StartAsync(system, Scoped(scope) with { HasApi = true });

        var counts = new List<int>();
        for (string? next = "operations"; next is not null && counts.Count < 10;)
        {
            using var response = await app.Client.SendAsync(Requests.Get($"jobs/api/{next}"), Cancellation);
            using var page = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancellation));
            counts.Add(page.RootElement.GetProperty("operations").GetArrayLength());
            next = page.RootElement.TryGetProperty("nextBefore", out var before) ? $"operations?before={before}" : null;
        }

        Assert.Equal("50 50 20", string.Join(' ', counts));
    }

    [Fact]
    public async Task Operations_of_all_have_a_next_page_too()
    {
        var system = Shop.Open();
        system.Operations.Clear();
        AddOperations(system, scope: null);
        system.Operations.RemoveRange(120, system.Operations.Count - 120);
        await using var app = await DashboardApp.StartAsync(system);

        var pages = await FollowAsync(app, "operations", OperationLink());

        Assert.Equal([50, 50, 20], pages.Select(static page => page.Count));
    }

    [Fact]
    public async Task A_task_of_another_tenant_is_searched_for_with_the_scope_and_not_found()
    {
        var system = Shop.Open();
        AddTasks(system);
        var (own, other) = (system.Tasks[0].Id, system.Tasks[1].Id);
        await using var app = await DashboardApp.StartAsync(system, Scoped(new EntryScope { Queues = ["own"] }));

        using var found = await app.Client.SendAsync(Requests.Get($"jobs/search?q={own}"), Cancellation);
        using var missing = await app.Client.SendAsync(Requests.Get($"jobs/search?q={other}"), Cancellation);

        Assert.Equal($"./jobs/{system.Jobs[0].Id}", found.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.OK, missing.StatusCode);
        Assert.Equal(2, system.Asked.Count(static question => question == "task"));
    }

    [Theory]
    [InlineData("jobs")]
    [InlineData("api/jobs")]
    public async Task The_next_page_of_jobs_is_found_without_the_name_of_another_tenants_job(string path)
    {
        var system = Shop.Open();
        var own = system.Jobs[0] with { Id = Guid.CreateVersion7(), Name = "own-job", Queue = "own" };
        var other = system.Jobs[1];
        system.Jobs.Clear();
        system.Jobs.AddRange(Enumerable.Range(0, SeenOnly.MaxRows + 1).Select(
            index => other with { Id = Guid.CreateVersion7(), Name = $"bravo-{index:0000}" }));
        system.Jobs.Add(own);
        await using var app = await DashboardApp.StartAsync(
            system, Scoped(new EntryScope { Queues = ["own"] }) with { HasApi = true });

        var first = await ReadAsync(app, path);
        var second = await ReadAsync(app, $"{path}?after={After().Match(first).Groups[1].Value}");

        Assert.DoesNotContain("own-job", first, StringComparison.Ordinal);
        Assert.Contains("own-job", second, StringComparison.Ordinal);
        Assert.All((string[])[first, second], static page => Assert.DoesNotContain("bravo", page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("jobs")]
    [InlineData("api/jobs")]
    public async Task A_page_that_begins_at_a_deleted_job_is_refused_and_does_not_begin_anew(string path)
    {
        await using var app = await DashboardApp.StartAsync(
            Shop.Open(), Scoped(new EntryScope { Queues = ["own"] }) with { HasApi = true });

        using var response = await app.Client.SendAsync(Requests.Get($"jobs/{path}?after={Guid.CreateVersion7()}"), Cancellation);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("was deleted meanwhile", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public async Task A_search_continues_after_names_of_which_none_has_the_text(int mostCompared, bool isFound)
    {
        var system = Shop.Open();
        var own = system.Jobs[0] with { Id = Guid.CreateVersion7(), Name = "own-job", Queue = "own" };
        var other = system.Jobs[1];
        system.Jobs.Clear();
        system.Jobs.AddRange(Enumerable.Range(0, 10).Select(
            index => other with { Id = Guid.CreateVersion7(), Name = $"bravo-{index}" }));
        system.Jobs.Add(own);
        await using var app = await DashboardApp.StartAsync(system, Scoped(new EntryScope { Queues = ["own"] }));
        app.Monitor.MostCompared = mostCompared;

        var page = await ReadAsync(app, "search?q=own");

        Assert.Equal(isFound, page.Contains("own-job", StringComparison.Ordinal));
        Assert.Equal(!isFound, page.Contains("There are more jobs than one search compares", StringComparison.Ordinal));
        Assert.DoesNotContain("bravo", page, StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(DashboardApp app, string path)
    {
        using var response = await app.Client.SendAsync(Requests.Get($"jobs/{path}"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static AppSetup Scoped(EntryScope scope) => new() { Configure = options => options.Scope = _ => scope };

    // The tenant's own are the oldest ones, and scattered there.
    private static void AddTasks(FakeSystem system)
    {
        var (own, other) = (system.Jobs[0] with { Queue = "own" }, system.Jobs[1]);
        system.Jobs[0] = own;
        system.Tasks.Clear();
        for (var index = 0; index < Others + Own; index++)
        {
            var isOwn = index < Own * 2 && index % 2 == 0;
            system.Tasks.Add(new TaskRecord
            {
                Id = Guid.CreateVersion7(system.Now.AddMinutes(index)),
                JobId = isOwn ? own.Id : other.Id,
                EntryId = index + 1,
                State = TaskState.Completed,
                CreatedAt = system.Now.AddMinutes(index),
            });
        }
    }

    private static void AddOperations(FakeSystem system, EntryScope? scope)
    {
        for (var index = 0; index < Others + Own; index++)
        {
            var isOwn = index < Own * 2 && index % 2 == 0;
            system.Operations.Add(system.Operations.Count > 0
                ? system.Operations[0] with { Id = 1_000 + index, State = OperationState.Ended, Query = Query(isOwn) }
                : Operation(system, 1_000 + index));
        }

        EntryQuery? Query(bool isOwn) => isOwn && scope is not null ? new EntryQuery { Scope = scope } : null;
    }

    private static BulkOperation Operation(FakeSystem system, long id) => new()
    {
        Id = id,
        Action = BulkAction.Cancel,
        State = OperationState.Ended,
        Audit = new AuditInfo("ada"),
        CreatedAt = system.Now,
        UpToId = 1,
        Expected = new Count(1),
        Done = 1,
        Refused = 0,
    };

    private static async Task<List<List<string>>> FollowAsync(DashboardApp app, string path, Regex link)
    {
        var pages = new List<List<string>>();
        for (string? next = path; next is not null && pages.Count < 10;)
        {
            using var response = await app.Client.SendAsync(Requests.Get($"jobs/{next}"), Cancellation);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            var html = await response.Content.ReadAsStringAsync(Cancellation);
            pages.Add([.. link.Matches(html).Select(static match => match.Groups[1].Value)]);
            next = Older().Match(html) is { Success: true } older ? older.Groups[1].Value : null;
        }

        return pages;
    }

    [GeneratedRegex("<a class=\"id\" href=\"./entries/([0-9]+)\"")]
    private static partial Regex EntryLink();

    [GeneratedRegex("<a href=\"./operations/([0-9]+)\"")]
    private static partial Regex OperationLink();

    [GeneratedRegex("(?:after=|\"nextAfter\":\")([0-9a-f-]{36})\"")]
    private static partial Regex After();

    [GeneratedRegex("href=\"./([a-z]+\\?before=[^\"]+)\">Older<")]
    private static partial Regex Older();
}
