using System.Data.Common;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>A job that an open transaction has locked: only its own runs wait.</summary>
public sealed class LockedJobTests() : JobStoreTests(new PostgreSqlFixture())
{
    private new PostgreSqlFixture Fixture => (PostgreSqlFixture)base.Fixture;

    [Fact]
    public async Task Runs_of_other_jobs_start_meanwhile()
    {
        var node = GivenNode();
        var (locked, free) = (await GivenRunAsync(node, "locked"), await GivenRunAsync(node, "free"));
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockAsync(connection, locked);

        var starting = StartAsync(locked);
        Assert.Equal(TaskStartDecision.Started, (await StartAsync(free)).Decision);

        await transaction.CommitAsync(Cancellation);
        Assert.Equal(TaskStartDecision.Started, (await starting).Decision);
    }

    [Fact]
    public async Task Runs_of_other_jobs_that_start_in_the_same_batch_do_not_wait()
    {
        const int locked = 20;
        var node = GivenNode();
        var runs = new List<Run>();
        for (var number = 0; number < 2 * locked; number++)
        {
            runs.Add(await GivenRunAsync(node, $"job {number}"));
        }

        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockAsync(connection, runs[locked]);

        var starting = runs.ConvertAll(StartAsync);
        var starts = await Task.WhenAll(starting.Where(static (_, number) => number != locked));

        Assert.All(starts, static start => Assert.Equal(TaskStartDecision.Started, start.Decision));
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(TaskStartDecision.Started, (await starting[locked]).Decision);
    }

    [Theory]
    [InlineData("select id from jobs where id = '{0}' for update")]
    [InlineData("update jobs set priority = priority where id = '{0}'")]
    public async Task A_declaration_gives_up_soon_and_a_correction_of_plans_leaves_the_job(string statement)
    {
        var declared = NewJob(schedule: Schedule.Cron("0 0 * * *")) with { DeclaredBy = "app", DeclaredAs = "1" };
        var job = await Jobs.UpsertAsync(declared, Cancellation);
        await Fixture.SetJobAsync(job.Name, "next_run_at", "next_run_at + interval '1 minute'", Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, statement.Replace("{0}", $"{job.Id}", StringComparison.Ordinal));
        Fixture.Inside.PatienceForLocks = TimeSpan.FromMilliseconds(100);

        var changed = declared with { DeclaredAs = "2" };
        StoreUnavailableException[] errors =
        [
            await Assert.ThrowsAsync<StoreUnavailableException>(() => Jobs.UpsertManyAsync([changed], Cancellation)),
            await Assert.ThrowsAsync<StoreUnavailableException>(
                () => Jobs.DeleteOrphanAsync("app", job.Name, TimeSpan.Zero, new AuditInfo("test"), Cancellation)),
        ];
        var corrected = await Jobs.CorrectPlansAsync(Cancellation);

        Assert.All(errors, static error => Assert.True(error.IsLockTimeout));
        Assert.Equal(0, corrected.Planned);
        await transaction.CommitAsync(Cancellation);
        Fixture.Inside.PatienceForLocks = TimeSpan.FromMinutes(1);
        Assert.Equal(1, (await Jobs.CorrectPlansAsync(Cancellation)).Planned);
    }

    [Fact]
    public async Task A_job_that_is_locked_is_not_marked_as_an_orphan_and_the_others_are()
    {
        var locked = await Jobs.UpsertAsync(NewJob("locked") with { DeclaredBy = "app", DeclaredAs = "1" }, Cancellation);
        await Jobs.UpsertAsync(NewJob("free") with { DeclaredBy = "app", DeclaredAs = "1" }, Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"select id from jobs where id = '{locked.Id}' for update");

        await Jobs.SetOrphanedAsync("app", ["locked", "free"], Cancellation);

        Assert.Equal(
            [new DeclaredJob("free", "1", true), new DeclaredJob("locked", "1", false)],
            await Jobs.ListDeclaredAsync("app", Cancellation));
        await transaction.CommitAsync(Cancellation);
        await Jobs.SetOrphanedAsync("app", ["locked", "free"], Cancellation);
        Assert.All(await Jobs.ListDeclaredAsync("app", Cancellation), static job => Assert.True(job.IsOrphaned));
    }

    [Fact]
    public async Task A_start_that_has_waited_for_long_is_put_off_and_has_changed_nothing()
    {
        var run = await GivenRunAsync(GivenNode(), "locked");
        using var database = new PostgreSqlDatabase(
            new PostgreSqlConnectionSource(Fixture.ConnectionString, null), new PostgreSqlOptions { Schema = Fixture.Schema }, Hour)
            .WithPatience();
        database.CommandTimeout = 300;
        var starts = new StartBatches(new TaskStarter(database, ((PostgreSqlQueueStore)Fixture.Queue).Hints)) { Patience = TimeSpan.Zero };
        var request = new TaskStartRequest(
            run.Held.Node.Id, run.Held.Id, run.Held.Fence, run.JobId, run.TaskId, run.Entry.Attempt, run.Entry.Kind, run.DueAt,
            run.Overlap);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockAsync(connection, run);

        var start = await starts.StartAsync(request, Cancellation);

        Assert.Equal((TaskStartDecision.Wait, null, null), (start.Decision, start.Task, start.Reason));
        Assert.InRange(start.WaitFor!.Value, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(2));
        Assert.Empty(await Jobs.ListIncompleteTasksAsync(run.JobId, Cancellation));
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(TaskStartDecision.Started, (await starts.StartAsync(request, Cancellation)).Decision);
    }

    [Fact]
    public async Task An_outcome_that_would_wait_for_the_job_is_found()
    {
        var node = GivenNode();
        Run[] runs = [await GivenRunAsync(node, "locked"), await GivenRunAsync(node, "free")];
        var outcomes = Array.ConvertAll(runs, static run => run.Held.Outcome(OutcomeKind.Snoozed, isTask: true));
        var answered = outcomes[0] with { IsStartAnswered = true };
        var withoutEntry = Outcome(runs[1].Held.Id + 1_000_000, runs[1].Held.Fence, OutcomeKind.Failed, isTask: true);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockAsync(connection, runs[0]);

        Assert.Equal([outcomes[0]], await Store.FindBlockedAsync([.. outcomes, withoutEntry], Cancellation));
        Assert.Empty(await Store.FindBlockedAsync([answered], Cancellation));

        await transaction.CommitAsync(Cancellation);
        Assert.Empty(await Store.FindBlockedAsync(outcomes, Cancellation));
    }

    [Theory]
    [InlineData(OutcomeKind.Completed)]
    [InlineData(OutcomeKind.Retried)]
    public async Task An_outcome_whose_task_is_locked_is_found_and_keeps_no_outcome_without_a_task_waiting(OutcomeKind kind)
    {
        var node = GivenNode();
        Run[] runs = [await GivenRunAsync(node, "locked"), await GivenRunAsync(node, "free")];
        foreach (var run in runs)
        {
            Assert.Equal(TaskStartDecision.Started, (await StartAsync(run)).Decision);
        }

        var plain = await GivenClaimedAsync(node);
        RunOutcome[] outcomes =
        [
            .. runs.Select(run => run.Held.Outcome(kind, isTask: true, delay: Hour) with { IsStartAnswered = true }),
            plain.Outcome(),
        ];
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockTaskAsync(connection, runs[0]);
        Fixture.Inside.PatienceForLocks = TimeSpan.FromMilliseconds(100);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => TryFinishAsync(node, outcomes));

        Assert.True(error.IsLockTimeout);
        Assert.Equal(EntryState.Completed, await StateAsync(plain.Id));
        Assert.Equal(EntryState.Running, await StateAsync(runs[0].Held.Id));
        Assert.Equal([outcomes[0]], await Store.FindBlockedAsync(outcomes, Cancellation));
        Assert.Equal(
            [outcomes[0] with { IsStartAnswered = false }],
            await Store.FindBlockedAsync([outcomes[0] with { IsStartAnswered = false }], Cancellation));
        Fixture.Inside.PatienceForLocks = TimeSpan.FromMinutes(1);
        await FinishAsync(node, outcomes[1], outcomes[2]);
        await transaction.CommitAsync(Cancellation);
        Assert.Empty(await Store.FindBlockedAsync(outcomes, Cancellation));
        await FinishAsync(node, outcomes);
    }

    [Fact]
    public async Task Runs_that_start_in_the_same_batch_do_not_wait_for_a_task_that_is_locked()
    {
        var node = GivenNode();
        Run[] first = [await GivenRunAsync(node, "locked"), await GivenRunAsync(node, "free")];
        foreach (var run in first)
        {
            Assert.Equal(TaskStartDecision.Started, (await StartAsync(run)).Decision);
        }

        await FinishAsync(node, Array.ConvertAll(first, static run => run.Held.Outcome(OutcomeKind.Released, isTask: true)));
        var again = await ClaimRunsAsync(node);
        var locked = again.Single(run => run.Held.Id == first[0].Held.Id);
        var free = again.Single(run => run.Held.Id == first[1].Held.Id);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockTaskAsync(connection, locked);

        var starting = StartAsync(locked);
        var start = await StartAsync(free);

        Assert.NotNull(start.Task);
        await transaction.CommitAsync(Cancellation);
        Assert.NotNull((await starting).Task);
    }

    [Fact]
    public async Task An_outcome_waits_for_a_moment_until_the_job_is_free()
    {
        const int tries = 20;
        var run = await GivenRunAsync(GivenNode(), "busy");
        var outcome = run.Held.Outcome(OutcomeKind.Snoozed, isTask: true);
        await using var gate = await StatementGate.CloseAsync(Fixture, "nodes", "delete", Cancellation);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        var blocked = 0;

        // A machine that stands still for longer than the wait needs another try.
        for (; blocked < tries; blocked++)
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await LockAsync(connection, run);
            var asking = Task.Run(async () => await Store.FindBlockedAsync([outcome], Cancellation), Cancellation);
            await gate.UntilWaitingAsync(1, orEnded: asking);
            await transaction.CommitAsync(Cancellation);
            if ((await asking).Count == 0)
            {
                break;
            }
        }

        Assert.InRange(blocked, 0, tries - 1);
    }

    [Fact]
    public async Task An_outcome_whose_start_was_not_answered_is_not_blocked_by_a_lock_of_its_entry()
    {
        var run = await GivenRunAsync(GivenNode(), "free");
        var outcome = run.Held.Outcome(OutcomeKind.Snoozed, isTask: true);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"select id from entries where id = {run.Held.Id} for update");

        Assert.Empty(await Store.FindBlockedAsync([outcome], Cancellation));

        var answered = outcome with { IsStartAnswered = true };
        Assert.Equal([answered], await Store.FindBlockedAsync([answered], Cancellation));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_task_that_is_locked_keeps_only_its_own_run_from_being_recovered(bool isReleased)
    {
        var node = GivenNode();
        await GivenJobAsync(name: "locked");
        await GivenJobAsync(name: "free");
        var runs = await ClaimRunsAsync(node);
        foreach (var run in runs)
        {
            Assert.Equal(TaskStartDecision.Started, (await StartAsync(run)).Decision);
        }

        var plain = await GivenClaimedAsync(node);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockTaskAsync(connection, runs[0]);
        if (!isReleased)
        {
            Die(node);
        }

        Assert.Equal(2, await RecoverAsync());
        var claims = await ClaimVersionsAsync();
        Assert.Equal(0, await RecoverAsync());
        Assert.Equal(0, await RecoverAsync());
        Assert.Equal(claims, await ClaimVersionsAsync());
        Assert.Equal(
            [EntryState.Running, EntryState.Waiting, EntryState.Waiting],
            [await StateAsync(runs[0].Held.Id), await StateAsync(runs[1].Held.Id), await StateAsync(plain.Id)]);
        Assert.Empty(await Store.CheckInvariantsAsync(Cancellation));

        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1, await RecoverAsync());
        Assert.Equal(EntryState.Waiting, await StateAsync(runs[0].Held.Id));
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));

        async Task<int> RecoverAsync() => isReleased
            ? await Store.ReleaseClaimsAsync(node.Id, await Store.ListClaimsAsync(node.Id, Cancellation), Cancellation)
            : (await SweepAsync()).Recovered;
    }

    [Fact]
    public async Task A_task_that_is_locked_does_not_keep_a_sweep_from_reporting_what_it_has_recovered()
    {
        await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(GivenNode());
        await FinishTaskAsync(run, OutcomeKind.Retried);
        var dead = GivenNode();
        var held = await GivenClaimedAsync(dead);
        Die(dead);
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, $"insert into cancellations (entry) values ({run.Held.Id})");
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await LockTaskAsync(connection, run);

        var report = await SweepAsync();

        Assert.Equal((held.Id, RecoveryAction.Recovered), (Assert.Single(report.Items).EntryId, report.Items[0].Action));
        Assert.Equal(EntryState.Waiting, await StateAsync(run.Held.Id));
        await transaction.CommitAsync(Cancellation);
        await SweepAsync();
        Assert.Equal(EntryState.Cancelled, await StateAsync(run.Held.Id));
    }

    // A row that is written again has another version, also if its contents are the same.
    private async Task<string> ClaimVersionsAsync()
    {
        await using var connection = await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "select string_agg(id || ' ' || ctid, ', ' order by id) from claims";
        return (string)(await command.ExecuteScalarAsync(Cancellation))!;
    }

    private async Task<Run> GivenRunAsync(TestNode node, string job)
    {
        await GivenJobAsync(name: job);
        return await ClaimRunAsync(node);
    }

    private static Task LockAsync(DbConnection connection, Run run)
        => RunAsync(connection, $"select id from jobs where id = '{run.JobId}' for update");

    private static Task LockTaskAsync(DbConnection connection, Run run)
        => RunAsync(connection, $"select id from tasks where entry_id = {run.Held.Id} for update");

    private static async Task RunAsync(DbConnection connection, string statement)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
