using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Cli.Tests.Commands;

/// <summary>The doctor names the jobs that no node runs.</summary>
public sealed class OverdueJobTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_that_no_node_can_plan_is_found(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.UseAsync(static services => services.GetRequiredService<IJobService>().CreateOrUpdateAsync(
            new JobDefinition("mars", Schedule.Cron("* * * * *")), new CliFixture.Render(0), TestContext.Current.CancellationToken));
        await store.ExecuteAsync("update {jobs} set time_zone = 'Mars/Base', planned_entry = null");
        for (var round = 0; round < 2; round++)
        {
            await store.Cli.UseAsync(static services => services.GetRequiredService<IJobService>().RecoverJobsAsync(
                TestContext.Current.CancellationToken));
        }

        var found = await store.Cli.RunAsync("doctor");

        Assert.Equal(1, found.ExitCode);
        Assert.Contains("warning  overdue jobs: Job mars is active, and no run of it is planned. Repair: Start a node. If one runs, look "
            + "for event 4006 in its log: it says why the job can't be planned.", found.Lines);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(false, true, false)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    public async Task A_job_whose_run_does_not_start_is_found_unless_an_earlier_run_is_unfinished(bool onServer, bool isBusy, bool expected)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        var job = await store.Cli.CreateJobAsync("sweep");
        var early = await store.Cli.RunAsync("doctor");
        await store.ExecuteAsync(onServer
            ? "update {jobs} set next_run_at = clock_timestamp() - interval '2 hours'"
            : "update {jobs} set next_run_at = (unixepoch() - 7200) * 1000000");
        if (isBusy)
        {
            var id = onServer ? $"'{Guid.NewGuid()}', '{job.Id}'" : "randomblob(16), (select id from {jobs})";
            await store.ExecuteAsync("insert into {tasks} (id, job_id, state, created_at) values (" + id + ", 1, "
                + (onServer ? "clock_timestamp())" : "unixepoch() * 1000000)"));
        }

        var found = await store.Cli.RunAsync("doctor");

        Assert.Contains("ok       overdue jobs: Nothing found.", early.Lines);
        Assert.Equal(expected, found.Lines.Any(static line =>
            line.StartsWith("warning  overdue jobs: Job sweep has been due for 2h", StringComparison.Ordinal)
            && line.Contains(
                ", and its run does not start. Repair: Start a node with the job's handler that serves queue default.",
                StringComparison.Ordinal)));
        Assert.Equal(!expected, found.Lines.Contains("ok       overdue jobs: Nothing found."));
    }

    [Theory]
    [InlineData(false, "queue", "default")]
    [InlineData(true, "queue", "default")]
    [InlineData(false, "kind", "task:render")]
    [InlineData(true, "kind", "task:render")]
    public async Task A_job_whose_run_waits_behind_a_pause_needs_no_node(bool onServer, string what, string name)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.CreateJobAsync("sweep");
        await MakeLateAsync(store, onServer);
        var before = await store.Cli.RunAsync("doctor");
        var paused = await store.Cli.RunAsync("pause", what, name, "--new", "--yes", "--actor", "anna");

        var found = await store.Cli.RunAsync("doctor");

        Assert.Equal(0, paused.ExitCode);
        Assert.Contains(before.Lines, static line => line.StartsWith("warning  overdue jobs: Job sweep", StringComparison.Ordinal));
        Assert.Contains("ok       overdue jobs: Nothing found.", found.Lines);
        Assert.Contains(found.Lines, line => line.StartsWith($"warning  pauses: The {what} {name} is paused", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_job_whose_run_waits_in_a_queue_that_is_behind_needs_no_handler(bool onServer)
    {
        await using var store = await EitherStore.CreateAsync(onServer);
        await store.Cli.CreateJobAsync("sweep");
        await MakeLateAsync(store, onServer);
        using var node = await store.Cli.JoinAsync("web", "1.0.0", "default", "task:render");

        var found = await store.Cli.RunAsync("doctor");

        Assert.Contains(found.Lines, static line =>
            line.StartsWith("warning  overdue jobs: Job sweep has been due for 2h", StringComparison.Ordinal)
            && line.Contains(
                ", and its run waits in queue default, whose oldest due entry has waited for 2h", StringComparison.Ordinal)
            && line.Contains("Repair: Add nodes or concurrency", StringComparison.Ordinal));
        Assert.DoesNotContain(found.Lines, static line => line.Contains("Start a node with the job's handler", StringComparison.Ordinal));
    }

    // The planned run of the only job, and its entry, have been due for two hours.
    private static async Task MakeLateAsync(EitherStore store, bool onServer)
    {
        var late = onServer ? "clock_timestamp() - interval '2 hours'" : "(unixepoch() - 7200) * 1000000";
        await store.ExecuteAsync($"update {{jobs}} set next_run_at = {late}");
        await store.ExecuteAsync($"update {{waiting}} set run_at = {late}");
    }
}
