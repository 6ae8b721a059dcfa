using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TaskRecovery.Dashboard.Tests.Support;

namespace TaskRecovery.Dashboard.Tests.Hosting;

/// <summary>What the API answers about one entry, job or operation, and how long its lists are.</summary>
public sealed class ApiDetailsTests(OpenShop open) : IClassFixture<OpenShop>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_data_of_an_entry_are_those_of_its_page()
    {
        var log = await ReadAsync($"entries/{Shop.CrashedEntry}/log");
        var step = await ReadAsync($"entries/{Shop.CrashedEntry}/steps/2");
        var checkpoint = await ReadAsync($"entries/{Shop.CrashedEntry}/checkpoint");

        Assert.Equal(3, log.GetArrayLength());
        Assert.Equal("Warning", log[1].GetProperty("level").GetString());
        Assert.Equal("Stock of SKU 2210 is low (4 left)", log[1].GetProperty("message").GetString());
        Assert.Equal((2, "reserve-stock", 9_041L), (
            step.GetProperty("number").GetInt32(), step.GetProperty("name").GetString(), step.GetProperty("fence").GetInt64()));
        Assert.Contains("INV-2026-4127", step.GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Contains("17", checkpoint.GetProperty("value").GetString(), StringComparison.Ordinal);
        Assert.Contains($"6002: ada opened the data of entry {Shop.CrashedEntry}", open.App.Log.Lines);
    }

    [Fact]
    public async Task The_redactor_decides_about_the_data_of_an_entry_and_of_a_job()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            HasApi = true,
            Configure = static options => options.Redact = static text => text.Part == DashboardPart.Args ? "{}" : null,
        });

        var step = await ReadAsync($"entries/{Shop.CrashedEntry}/steps/2", app);
        var log = await ReadAsync($"entries/{Shop.CrashedEntry}/log", app);
        var job = (await ReadAsync($"jobs/{Shop.ReportJob}", app)).GetProperty("job");

        Assert.False(step.TryGetProperty("result", out _) || step.TryGetProperty("name", out _));
        Assert.Equal("", log[0].GetProperty("message").GetString());
        Assert.Equal("{}", job.GetProperty("args").GetString());
    }

    [Theory]
    [InlineData("data", true)]
    [InlineData("", false)]
    public async Task A_job_has_its_pause_its_rules_and_its_plan_and_its_arguments_for_who_may_see_them(string roles, bool hasArgs)
    {
        var system = Shop.Open();
        var at = system.Jobs.FindIndex(static job => job.Id == Shop.ReportJob);
        system.Jobs[at] = system.Jobs[at] with
        {
            Pause = new PauseInfo
            {
                Since = system.Now.AddMinutes(-3),
                Actor = "grace",
                Reason = "ledger is closed",
                Until = system.Now.AddHours(1),
            },
            StartAt = system.Now.AddDays(-9),
            CatchUpLimit = 7,
            CatchUpWithin = TimeSpan.FromHours(2),
            ExpiresAfter = TimeSpan.FromMinutes(10),
            Priority = 3,
            MaxAttempts = 8,
            Timeout = TimeSpan.FromMinutes(30),
            UpdatedAt = system.Now.AddDays(-2),
        };
        await using var app = await DashboardApp.StartAsync(system, new AppSetup { HasApi = true });

        var details = await ReadAsync($"jobs/{Shop.ReportJob}", app, roles);
        var listed = (await ReadAsync("jobs", app, roles)).GetProperty("jobs").EnumerateArray().Single(
            static job => job.GetProperty("id").GetGuid() == Shop.ReportJob);

        Assert.Equal(5, details.GetProperty("nextRuns").GetArrayLength());
        Assert.Equal(20, details.GetProperty("lastTasks").GetArrayLength());
        Assert.All((JsonElement[])[details.GetProperty("job"), listed], job =>
        {
            Assert.Equal("ledger is closed", job.GetProperty("pause").GetProperty("reason").GetString());
            Assert.Equal("grace", job.GetProperty("pause").GetProperty("actor").GetString());
            Assert.Equal(system.Now.AddHours(1), job.GetProperty("pause").GetProperty("until").GetDateTimeOffset());
            Assert.Equal(system.Now.AddDays(-9), job.GetProperty("startAt").GetDateTimeOffset());
            Assert.Equal(7, job.GetProperty("catchUpLimit").GetInt32());
            Assert.Equal("02:00:00", job.GetProperty("catchUpWithin").GetString());
            Assert.Equal("00:10:00", job.GetProperty("expiresAfter").GetString());
            Assert.Equal((3, 8), (job.GetProperty("priority").GetInt32(), job.GetProperty("maxAttempts").GetInt32()));
            Assert.Equal("00:30:00", job.GetProperty("timeout").GetString());
            Assert.Equal(system.Now.AddDays(-2), job.GetProperty("updatedAt").GetDateTimeOffset());
        });
        Assert.Equal(hasArgs, details.GetProperty("job").TryGetProperty("args", out var args));
        Assert.Equal(hasArgs ? system.Jobs[at].Args : null, hasArgs ? args.GetString() : null);
        Assert.False(listed.TryGetProperty("args", out _));
        string[] opened = hasArgs ? [$"6002: ada opened the data of job {Shop.ReportJob}"] : [];
        Assert.Equal(opened, app.Log.Lines.Where(static line => line.StartsWith("6002: ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("entries?limit=3", "entries", 3)]
    [InlineData("tasks?limit=3", "tasks", 3)]
    [InlineData("events?limit=3", "events", 3)]
    [InlineData("jobs?limit=3", "jobs", 3)]
    [InlineData("operations?limit=3", "operations", 3)]
    [InlineData("operations?limit=1000", "operations", 4)]
    [InlineData("entries?limit=1000&state=failed", "entries", 23)]
    public async Task A_list_is_as_long_as_it_was_asked_for(string path, string member, int expected)
        => Assert.Equal(expected, (await ReadAsync(path)).GetProperty(member).GetArrayLength());

    [Fact]
    public async Task The_pages_of_the_operations_lead_to_all_of_them()
    {
        var first = await ReadAsync("operations?limit=3");
        var rest = await ReadAsync($"operations?limit=3&before={first.GetProperty("nextBefore").GetInt64()}");

        Assert.Equal(4, first.GetProperty("nextBefore").GetInt64());
        Assert.Equal(3, rest.GetProperty("operations")[0].GetProperty("id").GetInt64());
        Assert.False(rest.TryGetProperty("nextBefore", out _));
    }

    [Fact]
    public async Task Throughput_is_of_the_range_that_was_asked_for_and_not_for_a_user_with_a_scope()
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup
        {
            HasApi = true,
            Configure = static options => options.Scope = static _ => new EntryScope { Queues = ["mail"] },
        });

        var hour = await ReadAsync("throughput");
        var day = await ReadAsync("throughput?from=2026-11-28T00:00Z&to=2026-11-29T00:00Z&bucket=60");
        var scoped = await ReadAsync("throughput", app);

        Assert.Equal(60, hour.GetProperty("series")[0].GetProperty("points").GetArrayLength());
        Assert.Equal("01:00:00", day.GetProperty("bucket").GetString());
        Assert.Equal(24, day.GetProperty("series")[0].GetProperty("points").GetArrayLength());
        Assert.Equal(0, scoped.GetProperty("series").GetArrayLength());
        Assert.DoesNotContain("throughput", app.System.Asked);
    }

    [Fact]
    public async Task A_search_names_the_path_of_an_id_or_the_names_with_the_text()
    {
        var exact = await ReadAsync($"search?q={Shop.CrashedEntry}");
        var names = await ReadAsync("search?q=mail");

        Assert.Equal($"entries/{Shop.CrashedEntry}", exact.GetProperty("path").GetString());
        Assert.Equal(0, exact.GetProperty("hits").GetArrayLength());
        Assert.False(names.TryGetProperty("path", out _));
        Assert.Equal(
            ["queue mail entries?queue=mail", "kind mail.digest entries?kind=mail.digest", "kind mail.send entries?kind=mail.send"],
            names.GetProperty("hits").EnumerateArray().Where(static hit => hit.GetProperty("what").GetString() != "job").Select(
                static hit => $"{hit.GetProperty("what")} {hit.GetProperty("name")} {hit.GetProperty("path")}")
                .OrderByDescending(static hit => hit.StartsWith("queue", StringComparison.Ordinal))
                .ThenBy(static hit => hit, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("2026-11-29T16:00Z", null, "paused")]
    [InlineData("2026-11-29T17:00+01:00", null, "paused")]
    [InlineData("2026-11-29T16:00:00.000000000Z", null, "paused")]
    [InlineData("2026-11-29 16:00:00.000000+00", null, "paused")]
    [InlineData("2026-11-29T16:00Z", 15, "bad-until")]
    [InlineData("2026-11-29T14:00Z", null, "bad-until")]
    [InlineData("soon", null, "bad-until")]
    [InlineData("11/12/2027", null, "bad-until")]
    [InlineData("12-31-2027", null, "bad-until")]
    public async Task A_pause_ends_at_a_time(string until, int? minutes, string expected)
    {
        await using var app = await DashboardApp.StartAsync(Shop.Open(), new AppSetup { HasApi = true });
        using var request = Requests.Post("jobs/api/queues/pause", site: null);
        request.Content = JsonContent.Create(new { name = "mail", until, minutes });

        using var response = await app.Client.SendAsync(request, Cancellation);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);

        DateTimeOffset? end = expected == "paused" ? new DateTimeOffset(2026, 11, 29, 16, 0, 0, TimeSpan.Zero) : null;
        Assert.Equal(expected, answer.GetProperty("result").GetString());
        Assert.Equal(end, app.Operations.PausedUntil);
    }

    private async Task<JsonElement> ReadAsync(string path, DashboardApp? app = null, string roles = "data")
    {
        using var response = await (app ?? open.App).Client.SendAsync(Requests.Get($"jobs/api/{path}", roles: roles), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation);
    }
}
