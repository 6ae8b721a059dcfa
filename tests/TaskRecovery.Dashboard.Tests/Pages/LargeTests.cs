using System.Net;
using System.Text.RegularExpressions;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>Pages stay small and reachable when there is far too much of everything.</summary>
public sealed partial class LargeTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_of_an_entry_with_thousands_of_runs_and_steps_is_bounded()
    {
        var system = Shop.Open();
        var at = system.Lives.FindIndex(static life => life.Entry.Id == Shop.FailedEntry);
        var run = system.Lives[at].Runs[0];
        system.Lives[at] = system.Lives[at] with
        {
            Runs = [.. Enumerable.Range(0, 10_000).Select(number => run with
            {
                Fence = number, StartedAt = run.StartedAt?.AddSeconds(number), EndedAt = run.EndedAt.AddSeconds(number),
                Error = $"<{number}> " + new string('"', 4_000),
            })],
            Steps = [.. Enumerable.Range(0, 10_000).Select(number => new EntryStep($"step-{number}", run.EndedAt, number, 10))],
        };
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(
            Requests.Get($"jobs/entries/{Shop.FailedEntry}?step=9999", roles: "data"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(page.Length, 1, 1_000_000);
        Assert.Contains("9,500 older runs not shown", page, StringComparison.Ordinal);
        Assert.Contains("9,500 older steps not shown", page, StringComparison.Ordinal);
        Assert.Contains("&lt;9999&gt;", page, StringComparison.Ordinal);
        Assert.Contains("<h3><bdi>step-9998</bdi></h3>", page, StringComparison.Ordinal);
    }

    /// <summary>It is drawn every three seconds.</summary>
    [Theory]
    [InlineData("jobs/jobs", "", 1)]
    [InlineData("jobs/jobs?after=many-0100", "", 1)]
    [InlineData("jobs/tasks", "stock-sync", 0)]
    [InlineData("jobs/jobs/01932f5e-9c1b-7cc3-8f5a-2f6d3a3f0b11", "monthly-report", 0)]
    [InlineData("jobs/api/jobs", "nextAfter", 1)]
    [InlineData("jobs/api/tasks", "jobId", 0)]
    public async Task Thousands_of_jobs_make_no_page_large_and_are_not_all_read(string path, string expected, int lists)
    {
        await using var app = await DashboardApp.StartAsync(WithJobs(5_000), new AppSetup { HasApi = true });

        using var response = await app.Client.SendAsync(Requests.Get(path, roles: "data,ops"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.InRange(page.Length, 1, 1_000_000);
        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.Equal(lists, app.System.Asked.Count(static question => question == "jobs"));
        Assert.InRange(app.System.Asked.Count(static question => question == "job"), 0, 10);
    }

    [Theory]
    [InlineData(null, 124)]
    [InlineData("own", 60)]
    public async Task The_links_of_the_jobs_lead_to_all_of_them(string? queue, int expected)
    {
        var system = WithJobs(120);
        for (var index = 0; index < 120; index += 2)
        {
            system.Jobs[4 + index] = system.Jobs[4 + index] with { Queue = "own" };
        }

        await using var app = await DashboardApp.StartAsync(system, queue is null ? null : new AppSetup
        {
            Configure = options => options.Scope = _ => new EntryScope { Queues = [queue!] },
        });

        var names = new List<string>();
        for (string? next = "jobs"; next is not null && names.Count < 1_000;)
        {
            using var response = await app.Client.SendAsync(Requests.Get($"jobs/{next}"), Cancellation);
            var page = await response.Content.ReadAsStringAsync(Cancellation);
            var found = JobLink().Matches(page).Select(static match => match.Groups[1].Value).ToList();
            Assert.InRange(found.Count, 1, 50);
            names.AddRange(found);
            next = NextLink().Match(page) is { Success: true } link ? link.Groups[1].Value : null;
        }

        Assert.Equal(expected, names.Count);
        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
    }

    /// <summary>They are drawn every few seconds.</summary>
    [Theory]
    [InlineData("queues")]
    [InlineData("kinds")]
    public async Task Thousands_of_queues_and_kinds_make_no_page_large_and_the_links_lead_to_all_of_them(string path)
    {
        await using var app = await DashboardApp.StartAsync(WithNames(5_000));

        var names = new List<string>();
        for (string? next = path; next is not null && names.Count < 10_000;)
        {
            var page = await ReadAsync(app, next);
            Assert.InRange(page.Length, 1, 500_000);
            var found = Name().Matches(page).Select(static match => match.Groups[1].Value).ToList();
            Assert.InRange(found.Count, 1, 100);
            names.AddRange(found);
            next = NextName().Match(page) is { Success: true } link ? link.Groups[1].Value : null;
        }

        Assert.Equal(names.Order(StringComparer.Ordinal).Distinct(), names);
        Assert.Equal(5_000, names.Count(static name => name.StartsWith("many-", StringComparison.Ordinal)));
        Assert.Equal(
            ["many-0420", "many-1420", "many-2420", "many-3420", "many-4420"],
            Name().Matches(await ReadAsync(app, $"{path}?text=420"))
                .Select(static match => match.Groups[1].Value).Where(static name => name.EndsWith("420", StringComparison.Ordinal)));
        Assert.Contains("There is no such name", await ReadAsync(app, $"{path}?text=nothing-like-it"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_findings_of_the_overview_lead_to_what_they_are_about_among_thousands()
    {
        var system = WithNames(5_000);
        var pause = new PauseInfo { Actor = "ada" };
        system.Snapshot = system.Snapshot with
        {
            Queues = [.. system.Snapshot.Queues.Select(queue => queue with
            {
                Pause = queue.Name is "many-4200" or "many-4201" or "many-4202" or "many-4203" ? pause : null,
                OldestDue = queue.Name == "many-4300" ? TimeSpan.FromHours(1) : null,
            })],
        };
        var served = system.Kinds.Select(static kind => kind with { Nodes = 1 }).ToList();
        system.Kinds.Clear();
        system.Kinds.AddRange([.. served, .. Enumerable.Range(0, 4).Select(static number => new KindSummary
        {
            Name = $"lost-{number}",
            Waiting = new Count(1),
        })]);
        await using var app = await DashboardApp.StartAsync(system);

        var overview = await ReadAsync(app, "");

        Assert.Contains(
            "href=\"./queues?text=many-4200&amp;only=paused\"><bdi>many-4200</bdi>", overview, StringComparison.Ordinal);
        Assert.Contains("<a href=\"./queues?only=paused\">1 more paused queue</a>", overview, StringComparison.Ordinal);
        Assert.Contains("<a href=\"./kinds?only=unserved\">1 more kind</a>", overview, StringComparison.Ordinal);
        Assert.Equal(["many-4200"], await NamesAsync("queues?text=many-4200&only=paused"));
        Assert.Equal(["many-4200", "many-4201", "many-4202", "many-4203"], await NamesAsync("queues?only=paused"));
        Assert.Equal(["many-4300"], await NamesAsync("queues?only=late"));
        Assert.Equal(["lost-0", "lost-1", "lost-2", "lost-3"], await NamesAsync("kinds?only=unserved"));

        async Task<IEnumerable<string>> NamesAsync(string path)
            => Name().Matches(await ReadAsync(app, path)).Select(static match => match.Groups[1].Value);
    }

    [Theory]
    [InlineData("queues")]
    [InlineData("kinds")]
    public async Task A_pause_leads_back_to_the_page_on_which_it_was_made(string path)
    {
        await using var app = await DashboardApp.StartAsync(WithNames(5_000));
        var page = await ReadAsync(app, $"{path}?text=many-4&after=many-4199");
        var form = page[page.IndexOf("many-4200</bdi>", StringComparison.Ordinal)..];
        form = form[..form.IndexOf("</form>", StringComparison.Ordinal)];

        using var response = await app.Client.SendAsync(
            Requests.Post($"jobs/{path}/pause", fields: [("name", "many-4200"), ("at-text", "many-4"), ("at-after", "many-4199")]),
            Cancellation);

        Assert.Contains("name=\"at-text\" value=\"many-4\"", form, StringComparison.Ordinal);
        Assert.Contains("name=\"at-after\" value=\"many-4199\"", form, StringComparison.Ordinal);
        Assert.StartsWith(
            $"../{path}?text=many-4&after=many-4199&did=paused&", response.Headers.Location!.OriginalString, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("many-0042", "many-0042</bdi></a>", int.MaxValue)]
    [InlineData("ZZZ-rare", "zzz-rare-one</bdi></a>", int.MaxValue)]
    [InlineData("zzz-rare", "There are more jobs than one search compares", 5_000)]
    [InlineData("zzz-rare-one", "zzz-rare-one</bdi></a>", 5_000)]
    public async Task A_search_compares_the_names_of_jobs_in_one_read_and_finds_a_whole_name_always(
        string text, string expected, int mostCompared)
    {
        var system = WithJobs(6_000);
        system.Jobs.Add(system.Jobs[^1] with { Id = Guid.CreateVersion7(), Name = "zzz-rare-one" });
        await using var app = await DashboardApp.StartAsync(system);
        app.Monitor.MostCompared = mostCompared;

        using var response = await app.Client.SendAsync(Requests.Get($"jobs/search?q={text}"), Cancellation);

        Assert.Contains(expected, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        Assert.Equal(1, app.System.Asked.Count(static question => question == "jobs"));
    }

    /// <summary>It is drawn every two seconds.</summary>
    [Theory]
    [InlineData(5_000, false, false)]
    [InlineData(100_000, false, true)]
    [InlineData(100_000, true, false)]
    public async Task The_overview_counts_only_the_newest_failures_and_says_so(int failed, bool newestAreCancelled, bool saysSo)
    {
        var system = Shop.Open();
        (system.FailedInAll, system.NewestAreCancelled) = (failed, newestAreCancelled);
        await using var app = await DashboardApp.StartAsync(system);

        using var response = await app.Client.SendAsync(Requests.Get("jobs/", roles: "view"), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Contains("payment.capture", page, StringComparison.Ordinal);
        Assert.Equal(saysSo, page.Contains("Only the newest were counted, back to ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("jobs/", "Counting the entries takes too long")]
    [InlineData("jobs/entries?state=failed", "payment.capture")]
    [InlineData("jobs/operations/6", "operations/6/stop")]
    [InlineData("jobs/kinds", "mail.send")]
    [InlineData("jobs/search?q=mail", "mail.send")]
    [InlineData("jobs/about", "This dashboard")]
    public async Task A_snapshot_that_takes_too_long_takes_no_page_with_it(string path, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open());
        app.Monitor.Fail(new TimeoutException(), "snapshot");

        using var response = await app.Client.SendAsync(Requests.Get(path, roles: "data,ops"), Cancellation);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(DashboardApp app, string path)
    {
        using var response = await app.Client.SendAsync(Requests.Get($"jobs/{path}", roles: "ops"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancellation);
    }

    private static FakeSystem WithNames(int count)
    {
        var system = Shop.Open();
        var numbers = Enumerable.Range(0, count).Select(static number => $"many-{number:0000}").ToList();
        var (queues, kind) = (system.Snapshot.Queues, system.Kinds[0]);
        system.Snapshot = system.Snapshot with { Queues = [.. queues, .. numbers.Select(name => queues[0] with { Name = name })] };
        system.Kinds.AddRange(numbers.Select(name => kind with { Name = name }));
        return system;
    }

    private static FakeSystem WithJobs(int count)
    {
        var system = Shop.Open();
        var job = system.Jobs[0];
        system.Jobs.AddRange(Enumerable.Range(0, count).Select(number => job with
        {
            Id = new Guid(number + 1, 3, 3, 0, 0, 0, 0, 0, 0, 0, 1),
            Name = $"many-{number:0000}",
            Args = $$"""{"text":"{{new string('x', 1_000)}}"}""",
        }));
        return system;
    }

    [GeneratedRegex("<a href=\"./entries\\?(?:queue|kind)=[^\"&]+\"><bdi>([^<]+)</bdi>")]
    private static partial Regex Name();

    [GeneratedRegex("href=\"./((?:queues|kinds)\\?after=[^\"]+)\">")]
    private static partial Regex NextName();

    [GeneratedRegex("<a href=\"./jobs/[0-9a-f-]{36}\"><bdi>([^<]+)</bdi>")]
    private static partial Regex JobLink();

    [GeneratedRegex("href=\"./(jobs\\?after=[^\"]+)\">")]
    private static partial Regex NextLink();
}
