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
}
