namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The commands that read: data on standard output, everything else on standard error.</summary>
public sealed class ReadTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Status_shows_the_queues_and_what_happened()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(3, new EnqueueOptions { Queue = "mail" });

        var text = await _cli.RunAsync("status");
        var json = await _cli.RunAsync("status", "--json");

        Assert.Equal((0, "", 0, ""), (text.ExitCode, text.Error, json.ExitCode, json.Error));
        Assert.Contains(text.Lines, line => line.StartsWith("mail   3", StringComparison.Ordinal));
        Assert.Contains(text.Lines, line => line.StartsWith("last hour", StringComparison.Ordinal));
        Assert.Equal(3, json.Json().GetProperty("queues")[0].GetProperty("due").GetProperty("value").GetInt64());
    }

    [Fact]
    public async Task Status_shows_the_ten_busiest_of_many_queues()
    {
        await _cli.MigratedAsync();
        for (var number = 1; number <= 13; number++)
        {
            await _cli.EnqueueAsync(number, new EnqueueOptions { Queue = $"queue-{number:00}" });
        }

        var text = await _cli.RunAsync("status");
        var shown = text.Lines.Where(static line => line.StartsWith("queue-", StringComparison.Ordinal)).Select(static line => line[..8]);

        Assert.Equal(Enumerable.Range(0, 10).Select(static at => $"queue-{13 - at:00}"), shown);
        Assert.Contains("and 3 more: taskrecovery queues", text.Lines);
        Assert.Equal(13, (await _cli.RunAsync("status", "--json")).Json().GetProperty("queues").GetArrayLength());
        Assert.Equal(14, (await _cli.RunAsync("queues")).Lines.Length);

        await _cli.RunAsync("pause", "queue", "queue-01", "--yes");
        var first = (await _cli.RunAsync("status")).Lines.First(static line => line.StartsWith("queue-", StringComparison.Ordinal));
        Assert.StartsWith("queue-01", first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queues_and_kinds_are_listed()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(2);

        var queues = await _cli.RunAsync("queues");
        var kinds = await _cli.RunAsync("kinds");

        Assert.StartsWith("default  2", queues.Lines[1], StringComparison.Ordinal);
        Assert.StartsWith("render  2", kinds.Lines[1], StringComparison.Ordinal);
        Assert.Equal("default", (await _cli.RunAsync("queues", "--json")).Json()[0].GetProperty("name").GetString());
        Assert.Equal("render", (await _cli.RunAsync("kinds", "--json")).Json()[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task List_says_how_far_it_looked()
    {
        await _cli.MigratedAsync();
        var ids = await _cli.EnqueueAsync(3);

        var first = await _cli.RunAsync("list", "--limit", "2");
        var rest = await _cli.RunAsync("list", "--state", "waiting", "--kind", "ren*", "--before", $"{ids[1]}");

        Assert.Equal(3, first.Lines.Length);
        Assert.StartsWith($"{ids[2]}   Waiting  render", first.Lines[1], StringComparison.Ordinal);
        Assert.Contains($"Look further with --before {ids[1]}.", first.Error, StringComparison.Ordinal);
        Assert.StartsWith($"{ids[0]}   Waiting  render", rest.Lines[1], StringComparison.Ordinal);
        Assert.Equal("1 entry; there are no others.\n", rest.Error);
        Assert.Equal(3, (await _cli.RunAsync("list", "--json")).Json().GetProperty("entries").GetArrayLength());
    }

    [Fact]
    public async Task List_finds_by_every_filter()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["tenant"] = "acme" };
        var wanted = (await _cli.EnqueueAsync(1, new EnqueueOptions { Queue = "mail", UniqueKey = "k1", Metadata = metadata }))[0];

        string[][] filters =
        [
            ["--queue", "mail"], ["--key", "k1"], ["--metadata", "tenant=acme"],
            ["--queue", "mail", "--created-from", "1h", "--text", "page"], ["--queue", "mail", "--created-to", "2099-01-01"],
        ];

        foreach (var filter in filters)
        {
            var found = await _cli.RunAsync(["list", "--json", .. filter]);
            Assert.Equal(
                (0, wanted), (found.ExitCode, found.Json().GetProperty("entries").EnumerateArray().Single().GetProperty("id").GetInt64()));
        }

        Assert.Empty((await _cli.RunAsync("list", "--ended-from", "1h")).Lines);
    }

    [Fact]
    public async Task Show_has_the_whole_life_of_an_entry()
    {
        var id = await _cli.RunFailingAsync("no paper\nsecond line");

        var shown = await _cli.RunAsync("show", $"{id}", "--log");
        var json = (await _cli.RunAsync("show", $"{id}", "--log", "--json")).Json();

        Assert.Equal((0, ""), (shown.ExitCode, shown.Error));
        Assert.Equal($"entry {id}: Failed (failed_for_good)", shown.Lines[0]);
        Assert.Contains(shown.Lines, line => line.StartsWith("layout", StringComparison.Ordinal));
        Assert.Contains(
            shown.Lines, line => line.Contains("Failed  ", StringComparison.Ordinal) && line.Contains("worker", StringComparison.Ordinal));
        Assert.Contains("  second line", shown.Lines);
        Assert.Contains(shown.Lines, line => line.EndsWith("rendering page 1", StringComparison.Ordinal));
        Assert.Equal("Failed", json.GetProperty("life").GetProperty("entry").GetProperty("state").GetString());
        Assert.Equal(1, json.GetProperty("log").GetArrayLength());
    }

    [Fact]
    public async Task Nodes_and_their_events_are_listed()
    {
        await _cli.RunFailingAsync("no paper");

        var nodes = await _cli.RunAsync("nodes");
        var events = await _cli.RunAsync("events", "--kind", "nodejoined", "--node", "worker");

        Assert.StartsWith("worker  Left", nodes.Lines[1], StringComparison.Ordinal);
        Assert.Contains("NodeJoined", Assert.Single(events.Lines[1..]), StringComparison.Ordinal);
        Assert.Equal("There are no others.\n", events.Error);
        Assert.Equal("Left", (await _cli.RunAsync("nodes", "--json")).Json()[0].GetProperty("state").GetString());
        Assert.Equal(2, (await _cli.RunAsync("events", "--json")).Json().GetProperty("events").GetArrayLength());
    }

    [Fact]
    public async Task Jobs_are_listed_with_their_schedule()
    {
        await _cli.MigratedAsync();
        var job = await _cli.CreateJobAsync("sweep");

        var text = await _cli.RunAsync("jobs");
        var json = (await _cli.RunAsync("jobs", "--json")).Json()[0];

        Assert.StartsWith("sweep  Active", text.Lines[1], StringComparison.Ordinal);
        Assert.Equal((job.Id, job.Schedule.ToString()), (json.GetProperty("id").GetGuid(), json.GetProperty("schedule").GetString()));
    }

    [Fact]
    public async Task Check_finds_a_violation()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];
        var before = await _cli.RunAsync("check");
        await Database.ExecuteAsync(_cli.ConnectionString, $"delete from taskrecovery_waiting where id = {id}");

        var after = await _cli.RunAsync("check");
        var json = await _cli.RunAsync("check", "--json");

        Assert.Equal((0, "", "The invariant holds.\n"), (before.ExitCode, before.Out, before.Error));
        Assert.Equal((1, "1 violations.\n"), (after.ExitCode, after.Error));
        Assert.StartsWith($"entry {id} is in 0 places", Assert.Single(after.Lines), StringComparison.Ordinal);
        Assert.Equal((1, 1), (json.ExitCode, json.Json().GetProperty("violations").GetArrayLength()));
    }

    [Fact]
    public async Task A_terminal_gets_a_table_with_borders_and_without_color_if_that_is_not_wanted()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);
        _cli.Variables["NO_COLOR"] = "1";

        var shown = await _cli.RunAsync(["queues"], answer: null, isRich: true);

        Assert.Equal(0, shown.ExitCode);
        Assert.Contains("default", shown.Out, StringComparison.Ordinal);
        Assert.Contains("──", shown.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", shown.Out, StringComparison.Ordinal);
    }
}
