namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The runs of jobs, and the work of dead nodes.</summary>
public sealed class RecoveryTests : IDisposable
{
    private readonly CliFixture _cli = new();

    public void Dispose() => _cli.Dispose();

    [Fact]
    public async Task Tasks_are_listed_with_their_job()
    {
        await _cli.MigratedAsync();
        await _cli.CreateJobAsync("sweep");
        await Database.ExecuteAsync(_cli.ConnectionString, """
            insert into taskrecovery_tasks (id, job_id, state, created_at)
            select randomblob(16), taskrecovery_jobs.id, value, 1000000 from taskrecovery_jobs, json_each('[0, 0, 2]')
            """);

        var first = await _cli.RunAsync("tasks", "--limit", "1", "--state", "created");
        var next = first.Error.Split(' ')[^1].TrimEnd('.', '\n');
        var rest = await _cli.RunAsync("tasks", "--job", "sweep", "--state", "created", "--before", next);
        var json = (await _cli.RunAsync("tasks", "--json")).Json().GetProperty("tasks");

        Assert.Equal((0, 2), (first.ExitCode, first.Lines.Length));
        Assert.Contains("Created  sweep", first.Lines[1], StringComparison.Ordinal);
        Assert.Equal((2, "There are no others.\n"), (rest.Lines.Length, rest.Error));
        Assert.Equal(3, json.GetArrayLength());
        (await _cli.RunAsync("tasks", "--state", "done")).AssertFailed(2, "--state is 'done': use one of Created, Running");
        (await _cli.RunAsync("tasks", "--job", "nope")).AssertFailed(6, "There is no job 'nope'");
    }

    [Fact]
    public async Task The_work_of_a_dead_node_is_recovered()
    {
        await _cli.MigratedAsync();
        var id = (await _cli.EnqueueAsync(1))[0];
        await _cli.ClaimAndDieAsync("lost");

        var planned = await _cli.RunAsync("recover", "--dry-run");
        var recovered = await _cli.RunAsync("recover", "--yes", "--actor", "anna", "--reason", "deployment");
        var again = await _cli.RunAsync("recover", "--yes", "--json");
        var events = await _cli.RunAsync("events", "--by", "anna");

        Assert.Equal((0, $"would: Recover 1 entries of 1 dead nodes (lost) in file {_cli.File}\n"), (planned.ExitCode, planned.Out));
        Assert.Equal((0, $"entry {id}: Recovered, kind render, node lost, 1 crashes\n"), (recovered.ExitCode, recovered.Out));
        Assert.Equal("1 recovered, 0 closed.\n", recovered.Error);
        Assert.Equal(0, again.Json().GetProperty("items").GetArrayLength());
        Assert.Equal(2, events.Lines.Length);
        Assert.Contains("WorkRecovered  node lost, 1 entries  anna (cli)  deployment", events.Lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_whose_rows_are_locked_is_named_and_the_work_of_the_others_is_recovered()
    {
        await using var store = await EitherStore.CreateAsync(onServer: true);
        var locked = (await store.Cli.EnqueueAsync(1, new EnqueueOptions { UniqueKey = "key" }))[0];
        await store.Cli.ClaimAndDieAsync("locked");
        var free = (await store.Cli.EnqueueAsync(1))[0];
        await store.Cli.ClaimAndDieAsync("free");
        await store.ExecuteAsync($"insert into {{cancellations}} (entry) values ({locked})");
        CliResult recovered;
        await using (await store.HoldAsync("select from taskrecovery.unique_keys for update"))
        {
            recovered = await store.Cli.RunAsync("recover", "--yes");
        }

        Assert.Equal((5, $"entry {free}: Recovered, kind render, node free, 1 crashes\n"), (recovered.ExitCode, recovered.Out));
        Assert.Contains("The work of the dead node 'locked' could not be taken back", recovered.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await store.Cli.RunAsync("recover", "--yes")).ExitCode);
    }

    [Fact]
    public async Task Entries_that_another_transaction_holds_are_said_to_be_left()
    {
        await using var store = await EitherStore.CreateAsync(onServer: true);
        var held = (await store.Cli.EnqueueAsync(1))[0];
        await store.Cli.ClaimAndDieAsync("held");
        CliResult recovered;
        await using (await store.HoldAsync(
            $"select from taskrecovery.claims for key share; select from taskrecovery.entries where id = {held} for key share"))
        {
            recovered = await store.Cli.RunAsync("recover", "--yes");
        }

        var again = await store.Cli.RunAsync("recover", "--yes");

        Assert.Equal((5, ""), (recovered.ExitCode, recovered.Out));
        Assert.Contains("Entries of dead nodes are left (held)", recovered.Error, StringComparison.Ordinal);
        Assert.Equal((0, $"entry {held}: Recovered, kind render, node held, 1 crashes\n"), (again.ExitCode, again.Out));
    }

    [Fact]
    public async Task Recovery_uses_the_limits_of_the_application()
    {
        await _cli.MigratedAsync();
        await _cli.EnqueueAsync(1);
        foreach (var node in (string[])["first", "second"])
        {
            await _cli.ClaimAndDieAsync(node);
            await _cli.RunAsync("recover", "--yes");
        }

        await _cli.ClaimAndDieAsync("third");
        var closed = await _cli.RunAsync("recover", "--yes", "--max-crashes", "1", "--jsonl");

        Assert.Equal("crash_loop", Assert.Single(closed.Lines.Select(CliResult.Parse)).GetProperty("reason").GetString());
        (await _cli.RunAsync("recover", "--yes", "--max-crashes", "99")).AssertFailed(2, "MaxCrashes is '99'");
        (await _cli.RunAsync("recover", "--yes", "--max-age", "x")).AssertFailed(2, "--max-age is 'x': use a duration");
    }
}
