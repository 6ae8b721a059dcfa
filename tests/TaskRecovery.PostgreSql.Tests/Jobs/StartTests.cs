using System.Data.Common;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

public sealed class StartTests() : JobStoreTests(new PostgreSqlFixture())
{
    private static readonly DateTimeOffset Far = DateTimeOffset.UnixEpoch.AddDays(365 * 400);

    [Fact]
    public async Task Runs_that_start_at_once_on_many_connections_do_not_overlap()
    {
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = Far });
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
        await PutBackAsync(connection, run);

        var starting = StartAsync(run);
        await UntilSomebodyWaitsAsync(connection);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(TaskStartDecision.ClaimLost, (await starting).Decision);
        Assert.Equal(job.NextRunAt, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(run.Held.Id, Assert.Single(await WaitingRunsAsync()).Id);
    }

    [Fact]
    public async Task Run_that_is_put_back_while_its_start_waits_for_the_claim_gets_no_task_and_is_not_planned_past()
    {
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(connection, "select id from claims for no key update");
        await PutBackAsync(connection, run);

        // The facts have a snapshot in which the run has no outcome.
        var starting = StartAsync(run);
        await UntilSomebodyWaitsAsync(connection);
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(TaskStartDecision.ClaimLost, (await starting).Decision);
        Assert.Equal(job.NextRunAt, (await FindJobAsync(job.Id)).NextRunAt);
        Assert.Equal(run.Held.Id, Assert.Single(await WaitingRunsAsync()).Id);
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
    }

    [Fact]
    public async Task Start_that_waits_for_a_sweep_which_leaves_another_entry_in_the_claim_creates_no_task()
    {
        var node = GivenNode();
        var job = await GivenJobAsync(configure: static definition => definition with { StartAt = Far });
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, null, Cancellation));
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, null, Cancellation));
        var runs = await ClaimRunsAsync(node);
        await using var gate = await StatementGate.CloseAsync((PostgreSqlFixture)Fixture, "waiting", "insert", Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await Store.FinishInTransactionAsync(node.Id, runs[1].Held.Outcome(), transaction, Cancellation);
        Die(node);

        // The sweep has the claim and is about to put the run back, and the start waits for the claim.
        var sweeping = Task.Run(() => SweepAsync(), Cancellation);
        await gate.UntilWaitingAsync(1);
        var starting = Task.Run(() => StartAsync(runs[0]), Cancellation);
        await gate.UntilWaitingAsync(2);
        await gate.OpenAsync();
        var report = await sweeping;
        var start = await starting;
        await transaction.CommitAsync(Cancellation);

        Assert.Equal(runs[0].Held.Id, Assert.Single(report.Items).EntryId);
        Assert.Equal((TaskStartDecision.ClaimLost, null), (start.Decision, start.Task));
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
        Assert.Equal(EntryState.Waiting, await StateAsync(runs[0].Held.Id));
    }

    [Fact]
    public async Task One_run_waits_if_it_starts_together_with_the_next_attempt_of_the_run_before_it()
    {
        var (node, job) = (GivenNode(), await GivenQueueOneJobAsync());
        var retried = await TriggerAndClaimAsync(node, job);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(retried)).Decision);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(await TriggerAndClaimAsync(node, job))).Decision);
        await FinishTaskAsync(retried, OutcomeKind.Retried, error: "boom");
        var nextAttempt = await ClaimRunAsync(node);
        var late = await TriggerAndClaimAsync(node, job);

        var starts = await StartInOneBatchAsync(node, nextAttempt, late);

        Assert.Equal(
            [(TaskStartDecision.Recovered, null), (TaskStartDecision.Skip, EndReasons.Overlap)],
            starts.Select(start => (start.Decision, start.Reason)));
    }

    [Fact]
    public async Task Run_waits_again_in_the_batch_in_which_the_waiting_one_starts()
    {
        var (node, job) = (GivenNode(), await GivenQueueOneJobAsync());
        var earlier = await TriggerAndClaimAsync(node, job);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(earlier)).Decision);
        var waiting = await TriggerAndClaimAsync(node, job);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);
        await FinishTaskAsync(earlier);
        var next = await TriggerAndClaimAsync(node, job);

        var starts = await StartInOneBatchAsync(node, waiting, next, await TriggerAndClaimAsync(node, job));

        Assert.Equal(
            [(TaskStartDecision.Recovered, null), (TaskStartDecision.Wait, null), (TaskStartDecision.Skip, EndReasons.Overlap)],
            starts.Select(start => (start.Decision, start.Reason)));
    }

    [Fact]
    public async Task Waiting_run_does_not_start_beside_one_that_starts_before_it_in_the_batch()
    {
        var (node, job) = (GivenNode(), await GivenQueueOneJobAsync());
        var earlier = await TriggerAndClaimAsync(node, job);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(earlier)).Decision);
        var waiting = await TriggerAndClaimAsync(node, job);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(waiting)).Decision);
        await FinishTaskAsync(earlier);
        var beside = await TriggerAndClaimAsync(node, job, OverlapPolicy.Allow);

        var starts = await StartInOneBatchAsync(node, beside, waiting);

        Assert.Equal([TaskStartDecision.Started, TaskStartDecision.Wait], starts.Select(start => start.Decision));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_that_ends_while_its_start_is_under_way_leaves_no_unfinished_task(bool isErased)
    {
        var job = await GivenJobAsync();
        var run = await ClaimRunAsync(GivenNode());
        if (!isErased)
        {
            await Store.CancelAsync(run.Held.Id, Cancellation);
        }

        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();

        // The start stops after it has read its facts and before its task is stored.
        command.CommandText = """
            create function hold_task() returns trigger language plpgsql as
                $$ begin perform pg_advisory_xact_lock_shared(13); return new; end $$;
            create trigger hold_task before insert on tasks for each row execute function hold_task();
            select pg_advisory_lock(13)
            """;
        await command.ExecuteNonQueryAsync(Cancellation);
        var starting = StartAsync(run);
        await UntilSomebodyWaitsAsync(connection);

        var ending = isErased
            ? Store.EraseAsync(EraseTarget.Entry(run.Held.Id), Cancellation).AsTask()
            : FinishTaskAsync(run, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested);
        await UntilSomebodyWaitsAsync(connection, waiters: 2, ending);
        command.CommandText = "select pg_advisory_unlock(13)";
        await command.ExecuteNonQueryAsync(Cancellation);

        var start = await starting;
        await ending;
        Assert.Equal(EntryState.Cancelled, await StateAsync(run.Held.Id));
        Assert.True(start.Task is null || (await FindTaskAsync(start.Task.Id)).State == TaskState.Cancelled, $"{start}");
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(job.Id, Cancellation));
    }

    [Fact]
    public async Task Sweep_leaves_a_claim_alone_while_a_start_under_it_is_under_way()
    {
        await GivenJobAsync();
        var node = GivenNode();
        var run = await ClaimRunAsync(node);
        await using var gate = await StatementGate.CloseAsync((PostgreSqlFixture)Fixture, "tasks", "insert", Cancellation);
        var starting = Task.Run(() => StartAsync(run), Cancellation);
        await gate.UntilWaitingAsync(1);

        var during = await DieAndSweepAsync(node);
        await gate.OpenAsync();
        var start = await starting;
        var after = await SweepAsync();

        Assert.Empty(during.Items);
        Assert.Equal(TaskStartDecision.Started, start.Decision);
        Assert.Equal(run.Held.Id, Assert.Single(after.Items).EntryId);
        Assert.Equal(TaskState.Created, (await FindTaskAsync(start.Task!.Id)).State);
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

    [Fact]
    public async Task Job_that_is_deleted_between_the_two_statements_of_an_upsert_is_created_again()
    {
        var held = await GivenJobAsync();
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(connection, "select id from jobs for update");

        var storing = GivenJobAsync(Schedule.Every(2 * Hour));
        await UntilSomebodyWaitsAsync(connection);
        await ExecuteAsync(connection, $"delete from waiting; delete from entries; delete from jobs where id = '{held.Id}'");
        await transaction.CommitAsync(Cancellation);

        var stored = await storing;
        Assert.NotEqual(held.Id, stored.Id);
        Assert.Equal(2 * Hour, stored.Schedule.Interval);
        Assert.Single(await WaitingRunsAsync());
    }

    [Fact]
    public async Task Deletion_whose_connection_fails_before_it_has_cancelled_the_tasks_deletes_nothing()
    {
        var job = await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await ExecuteAsync(connection, $"select id from entries where id = {run.Held.Id} for update");

        var deleting = Jobs.DeleteAsync(job.Id, Cancellation);
        await UntilSomebodyWaitsAsync(connection);
        await ExecuteAsync(
            connection, "select pg_terminate_backend(pid) from pg_stat_activity where pg_backend_pid() = any (pg_blocking_pids(pid))");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => deleting);
        await transaction.RollbackAsync(Cancellation);

        Assert.NotNull(await Jobs.FindAsync(job.Id, Cancellation));
        Assert.True(await Jobs.DeleteAsync(job.Id, Cancellation));
        Assert.True((await FindAsync(run.Held.Id)).CancelRequested);
    }

    private Task<Job> GivenQueueOneJobAsync() => GivenJobAsync(configure: static definition => definition with
    {
        Overlap = OverlapPolicy.QueueOne,
        StartAt = Far,
    });

    private async Task<Run> TriggerAndClaimAsync(TestNode node, Job job, OverlapPolicy? overlap = null)
    {
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, overlap, Cancellation));
        return await ClaimRunAsync(node);
    }

    // The writer is busy with the start of another job, whose claim is locked, so that these starts wait for the next batch together.
    private async Task<TaskStart[]> StartInOneBatchAsync(TestNode node, params Run[] runs)
    {
        var other = await GivenJobAsync(
            configure: static definition => definition with { Overlap = OverlapPolicy.Allow, StartAt = Far }, name: "other");
        var busy = await TriggerAndClaimAsync(node, other);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select id from claims where id = {busy.Held.Fence} for update";
        await command.ExecuteNonQueryAsync(Cancellation);
        var first = StartAsync(busy);
        await UntilSomebodyWaitsAsync(connection);

        // A second writer begins only for many starts, so these wait for the first one together.
        var starts = runs.Select(StartAsync).ToList();
        await transaction.CommitAsync(Cancellation);

        await first;
        return await Task.WhenAll(starts);
    }

    private static Task PutBackAsync(DbConnection connection, Run run) => ExecuteAsync(connection, $"""
        insert into outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
            values ({run.Held.Id}, {run.Held.Fence}, 0, 4, 0, 0, false);
        insert into waiting (run_at, id, queue, kind, priority) select now(), id, queue, kind, priority from entries
            where id = {run.Held.Id}
        """);

    private static async Task ExecuteAsync(DbConnection connection, string statement)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Waits until a call is stopped by what this connection holds, directly or because it waits for one that is.</summary>
    private static async Task UntilSomebodyWaitsAsync(DbConnection connection, int waiters = 1, Task? orDone = null)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = """
            with recursive stopped (pid) as (
                select pg_backend_pid()
                union
                select a.pid from stopped s join pg_stat_activity a on s.pid = any (pg_blocking_pids(a.pid))
            )
            select count(*) - 1 from stopped
            """;
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (orDone is not { IsCompleted: true } && (long)(await command.ExecuteScalarAsync(Cancellation))! < waiters)
        {
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }
}
