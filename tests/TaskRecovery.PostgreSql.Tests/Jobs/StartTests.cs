using System.Data.Common;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

public sealed class StartTests() : JobStoreTests(new PostgreSqlFixture())
{
    [Fact]
    public async Task Runs_that_start_at_once_on_many_connections_do_not_overlap()
    {
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = DateTimeOffset.UnixEpoch.AddDays(365 * 400) });
        for (var triggered = 0; triggered < 24; triggered++)
        {
            await Jobs.TriggerAsync(job.Id, null, Cancellation);
        }

        var node = GivenNode();
        var batch = await ClaimAsync(node, kinds: EntryKind);
        var runs = batch.Entries.Select(entry => new Run(new Held(node, entry.Id, batch.Fence), entry, job.Id, null)).ToArray();

        var starts = await Task.WhenAll(runs.Select(run => Task.Run(() => StartAsync(run), Cancellation)));

        Assert.Equal(24, starts.Length);
        Assert.Single(starts, start => start.Decision == TaskStartDecision.Started);
        Assert.Equal(23, starts.Count(start => (start.Decision, start.Reason) == (TaskStartDecision.Skip, EndReasons.Overlap)));
        Assert.Single(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
    }

    [Theory]
    [InlineData(MissedRunPolicy.RunOnce, 5)]
    [InlineData(MissedRunPolicy.RunOnce, 59)]
    [InlineData(MissedRunPolicy.RunOnce, 61)]
    [InlineData(MissedRunPolicy.RunOnce, 60 * 24 * 400)]
    [InlineData(MissedRunPolicy.RunAll, 61)]
    [InlineData(MissedRunPolicy.RunAll, 60 * 24 * 400)]
    [InlineData(MissedRunPolicy.Skip, 59)]
    [InlineData(MissedRunPolicy.Skip, 61)]
    [InlineData(MissedRunPolicy.Skip, 60 * 24 * 400)]
    public async Task Database_plans_as_the_pure_functions_do(MissedRunPolicy policy, int minutesLate)
    {
        var due = (await Fixture.GetTimeAsync(Cancellation)).AddMinutes(-minutesLate);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = due, MissedRuns = policy });
        due = job.NextRunAt!.Value;
        var run = await ClaimRunAsync(GivenNode());

        var start = await StartAsync(run);

        // The grid is an hour wide and no run is on its edge: a moment more or less does not matter.
        var timing =
            new JobTiming { Name = job.Name, State = job.State, Schedule = job.Schedule, StartAt = due, NextRunAt = due, IsPlanned = true };
        var rules = new MissedRunRules(policy, null, job.CatchUpLimit, null, job.UpdatedAt);
        var expected = MissedRuns.Plan(timing, rules, await Fixture.GetTimeAsync(Cancellation));
        Assert.Equal(expected.Reason is null ? TaskStartDecision.Started : TaskStartDecision.Skip, start.Decision);
        Assert.Equal(expected.Next, start.Job!.NextRunAt);
        Assert.Equal(expected.Next, (await FindJobAsync(job.Id)).NextRunAt);
    }

    [Fact]
    public async Task Run_that_was_put_back_while_its_late_start_went_on_is_neither_skipped_nor_planned_past()
    {
        var due = (await Fixture.GetTimeAsync(Cancellation)).AddHours(-10.5);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = due, MissedRuns = MissedRunPolicy.Skip });
        var run = await ClaimRunAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = $"""
            insert into outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
                values ({run.Held.Id}, {run.Held.Fence}, 0, 4, 0, 0, false);
            insert into waiting (run_at, id, queue, kind, priority) select now(), id, queue, kind, priority from entries
                where id = {run.Held.Id}
            """;
        await command.ExecuteNonQueryAsync(Cancellation);

        var starting = StartAsync(run);
        await UntilSomebodyWaitsAsync(connection);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(TaskStartDecision.ClaimLost, (await starting).Decision);
        Assert.Equal(job.NextRunAt, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(run.Held.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Grid_does_not_follow_the_sessions_time_zone()
    {
        // 2 days are 48 hours, also where a night is one hour shorter.
        var job = await GivenJobAsync(Schedule.Every(TimeSpan.FromDays(2)));
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText =
            "set timezone = 'Europe/Berlin'; select count(*) from jobs where every::text <> '48:00:00' or extract(day from every) <> 0";

        Assert.Equal(0L, await command.ExecuteScalarAsync(Cancellation));
        Assert.Equal(TimeSpan.FromDays(2), (await FindJobAsync(job.Id)).Schedule.Interval);
    }

    /// <summary>Waits until a start is stopped by what this connection's transaction holds.</summary>
    private static async Task UntilSomebodyWaitsAsync(DbConnection connection, int waiters = 1)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))";
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while ((long)(await command.ExecuteScalarAsync(Cancellation))! < waiters)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
