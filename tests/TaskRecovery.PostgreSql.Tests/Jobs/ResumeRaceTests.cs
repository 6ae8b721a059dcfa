using Npgsql;
using NpgsqlTypes;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>Ends of pauses at which another transaction claims or changes the same runs, and claims beside other changes.</summary>
public sealed class ResumeRaceTests() : JobStoreTests(new PostgreSqlFixture())
{
    private new PostgreSqlFixture Fixture => (PostgreSqlFixture)base.Fixture;

    [Fact]
    public async Task A_claim_that_began_before_a_resume_was_committed_and_the_next_claim_run_the_entry_once()
    {
        var node = GivenNode();
        var (job, run) = await GivenRunThatWaitsAsync(node);

        // The time of the pause is over: the run is due, and so is the resume.
        await ShiftTimeAsync(2 * Hour);
        var key = Random.Shared.NextInt64();
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, $"select pg_advisory_lock({key})");
        await using var gate = await StatementGate.CloseAsync(Fixture, "paused_runs", "delete", Cancellation);

        // The resume has made the run due and stops before its commit. The claim has its snapshot and stops before it scans for rows.
        var resuming = Task.Run(() => Jobs.ResumeAsync(job.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        var claiming = Task.Run(() => ClaimLateAsync(node, EntryKind, key), Cancellation);
        await gate.UntilWaitingAsync(2);
        await gate.OpenAsync();
        Assert.True(await resuming);
        await RunAsync(connection, $"select pg_advisory_unlock({key})");
        var claimed = await claiming;
        claimed.AddRange((await ClaimRunsAsync(node)).Select(static run => run.Entry.Id));

        Assert.Equal(run.Entry.Id, Assert.Single(claimed));
    }

    [Fact]
    public async Task A_claim_does_not_list_a_row_that_a_program_has_updated_since_it_began()
    {
        var node = GivenNode();
        var id = await GivenEntryAsync();
        var key = Random.Shared.NextInt64();
        await using var gate = await StatementGate.CloseAsync(Fixture, "nodes", "delete", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await RunAsync(connection, $"select pg_advisory_lock({key})");
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"update waiting set attempt = attempt where id = {id}");

        var claiming = Task.Run(() => ClaimLateAsync(node, Work, key), Cancellation);
        await gate.UntilWaitingAsync(1);
        await transaction.CommitAsync(Cancellation);
        await RunAsync(connection, $"select pg_advisory_unlock({key})");
        var claimed = await claiming;
        claimed.AddRange((await ClaimAsync(node)).Entries.Select(static entry => entry.Id));

        Assert.Equal(id, Assert.Single(claimed));
    }

    [Fact]
    public async Task A_run_that_an_undo_puts_back_while_its_job_is_resumed_is_due()
    {
        var node = GivenNode();
        var (job, run) = await GivenRunThatWaitsAsync(node);
        var anna = new AuditInfo("anna");
        var cancellation = await Operations.PrepareAsync(
            new NewOperation { Action = BulkAction.Cancel, EntryIds = [run.Entry.Id], Expected = new Count(1) }, anna, Cancellation);
        await Operations.StartAsync(cancellation.Id, anna, Hour, Cancellation);
        await Operations.StepAsync(cancellation.Id, Cancellation);
        await using var gate = await StatementGate.CloseAsync(Fixture, "paused_runs", "delete", Cancellation);

        // The resume has found no run that waits, and is about to forget the one that was cancelled.
        var resuming = Task.Run(() => Jobs.ResumeAsync(job.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(1);
        var undo = (await Operations.UndoAsync(cancellation.Id, anna, Cancellation)).Operation!;
        var undoing = Task.Run(async () => await Operations.StepAsync(undo.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(2, orEnded: undoing);
        await gate.OpenAsync();
        await Task.WhenAll(resuming, undoing);

        Assert.Equal(run.Entry.Id, (await ClaimRunAsync(node)).Entry.Id);
    }

    [Fact]
    public async Task A_job_that_is_locked_does_not_keep_the_pauses_of_other_jobs_from_ending()
    {
        var (locked, _) = await GivenRunThatWaitsAsync(GivenNode());
        var now = await Fixture.GetTimeAsync(Cancellation);
        var other = await GivenJobAsync(name: "other");
        Assert.True(await Jobs.PauseAsync(other.Id, new PauseInfo { Until = now + Hour }, Cancellation));
        await ShiftTimeAsync(2 * Hour);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"select id from jobs where id = '{locked.Id}' for update");

        await Jobs.RecoverJobsAsync(Cancellation);
        Assert.Equal(
            (JobState.Paused, JobState.Active), ((await FindJobAsync(locked.Id)).State, (await FindJobAsync(other.Id)).State));

        await transaction.CommitAsync(Cancellation);
        await Jobs.RecoverJobsAsync(Cancellation);
        Assert.Equal(JobState.Active, (await FindJobAsync(locked.Id)).State);
    }

    [Fact]
    public async Task Runs_of_a_job_that_is_locked_wait_for_the_next_recovery()
    {
        var node = GivenNode();
        var (job, run) = await GivenRunThatWaitsAsync(node);

        // A library that does not know the table of runs that wait has resumed the job.
        await Fixture.SetJobAsync(job.Name, "state", "0", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await RunAsync(connection, $"select id from jobs where id = '{job.Id}' for update");

        await Jobs.RecoverJobsAsync(Cancellation);
        Assert.Empty(await ClaimRunsAsync(node));

        await transaction.CommitAsync(Cancellation);
        await Jobs.RecoverJobsAsync(Cancellation);
        Assert.Equal(run.Entry.Id, (await ClaimRunAsync(node)).Entry.Id);
    }

    [Fact]
    public async Task A_recovery_waits_for_a_moment_until_the_job_of_a_run_is_free()
    {
        const int tries = 20;
        var node = GivenNode();
        var (job, run) = await GivenRunThatWaitsAsync(node);
        await Fixture.SetJobAsync(job.Name, "state", "0", Cancellation);
        await using var gate = await StatementGate.CloseAsync(Fixture, "nodes", "delete", Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        List<Run> woken = [];

        // A machine that stands still for longer than the wait needs another try.
        for (var count = 0; woken.Count == 0 && count < tries; count++)
        {
            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
            await RunAsync(connection, $"select id from jobs where id = '{job.Id}' for update");
            var recovering = Task.Run(() => Jobs.RecoverJobsAsync(Cancellation), Cancellation);
            await gate.UntilWaitingAsync(1, orEnded: recovering);
            await transaction.CommitAsync(Cancellation);
            await recovering;
            woken = await ClaimRunsAsync(node);
        }

        Assert.Equal(run.Entry.Id, Assert.Single(woken).Entry.Id);
    }

    private async Task<(Job Job, Run Run)> GivenRunThatWaitsAsync(TestNode node)
    {
        var now = await Fixture.GetTimeAsync(Cancellation);
        var job = await GivenJobAsync(configure: definition => definition with { StartAt = now + (10 * Hour) });
        Assert.NotNull(await Jobs.TriggerAsync(job.Id, null, Cancellation));
        Assert.True(await Jobs.PauseAsync(job.Id, new PauseInfo { Until = now + Hour }, Cancellation));
        var run = await ClaimRunAsync(node);
        Assert.Equal(TaskStartDecision.Wait, (await StartAsync(run)).Decision);
        return (job, run);
    }

    /// <summary>Claims beside other claimers; between its snapshot and its scan of the rows it waits for an advisory lock.</summary>
    private async Task<List<long>> ClaimLateAsync(TestNode node, string kind, long key)
    {
        const string turn = "select true as mine from clock";
        var late = $"select (select count(*) from pg_advisory_xact_lock_shared({key})) = 1 as mine from clock";
        Assert.Contains(turn, ClaimSql.ClaimBesideOthers, StringComparison.Ordinal);
        var text = ClaimSql.ClaimBesideOthers
            .Replace(turn, late, StringComparison.Ordinal)
            .Replace("{schema:literal}", Fixture.QuotedSchema, StringComparison.Ordinal)
            .Replace("{schema}", Fixture.QuotedSchema, StringComparison.Ordinal);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        var queueNumber = (int)(await ReadAsync(connection, $"select id from queues where name = '{DefaultQueue}'"))!;
        var kindNumber = (short)(await ReadAsync(connection, $"select id from kinds where name = '{kind}'"))!;
        NpgsqlParameter[] args =
        [
            Arg.Uuid(node.Id), Arg.Int4(queueNumber), Arg.Array([kindNumber], NpgsqlDbType.Smallint), Arg.Int4(10),
            .. Levels(0), Arg.Int4(0), .. Levels(0), Arg.Int4(0), .. Levels(CrashLevels.Highest + 1),
            Arg.Text(DefaultQueue), Arg.Array([kind], NpgsqlDbType.Text),
        ];
        await using var command = new NpgsqlCommand(text, connection);
        command.Parameters.AddRange(args);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);

        // The first row is about the claim.
        Assert.True(await reader.ReadAsync(Cancellation));
        var claimed = new List<long>();
        while (await reader.ReadAsync(Cancellation))
        {
            claimed.Add(reader.GetInt64(ClaimColumns.Id));
        }

        return claimed;
    }

    // Levels from 0 on, each from its beginning.
    private static NpgsqlParameter[] Levels(int count) =>
    [
        Arg.Array([.. Enumerable.Range(0, count).Select(static level => (short)level)], NpgsqlDbType.Smallint),
        Arg.Array([.. Enumerable.Repeat(DateTime.UnixEpoch, count)], NpgsqlDbType.TimestampTz),
        Arg.Array(new long[count], NpgsqlDbType.Bigint),
    ];

    private static async Task<object?> ReadAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }

    private static Task RunAsync(NpgsqlConnection connection, string statement) => ReadAsync(connection, statement);
}
