using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>Deletions of jobs whose runs a node claims at the same moment.</summary>
public sealed class DeleteRaceTests() : JobStoreTests(new PostgreSqlFixture())
{
    private new PostgreSqlFixture Fixture => (PostgreSqlFixture)base.Fixture;

    [Fact]
    public async Task A_deletion_that_waits_for_the_claim_of_the_planned_run_holds_no_other_row_that_the_claim_takes()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        var (run, _) = await GivenRunningTaskAsync(node);
        await FinishTaskAsync(run, OutcomeKind.Retried);
        await ShiftTimeAsync(2 * Hour);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        var planned = (long)(await ReadAsync(connection, "select planned_entry from jobs"))!;
        var taskEntry = run.Entry.Id;
        var order = await ReadAsync(connection, "select array_agg(id order by ctid) from waiting");
        Assert.Equal([planned, taskEntry], (long[])order!);
        await using var gate = await StatementGate.CloseAsync(Fixture, "waiting", "delete", Cancellation);

        // The claim has the planned row and is about to take that of the task.
        var claiming = Task.Run(() => ClaimRunsAsync(node), Cancellation);
        await gate.UntilWaitingAsync(1);
        var deleting = Task.Run(() => Jobs.DeleteAsync(job.Id, Cancellation), Cancellation);
        await gate.UntilWaitingAsync(2);
        Assert.Equal(taskEntry, await ReadAsync(connection, $"select id from waiting where id = {taskEntry} for update skip locked"));
        await gate.OpenAsync();

        Assert.True(await deleting);
        Assert.Equal([taskEntry, planned], (await claiming).Select(static claimed => claimed.Entry.Id).Order());
        Assert.Equal(EntryState.Cancelled, await StateAsync(planned));
        Assert.True((await FindAsync(taskEntry)).CancelRequested);
    }

    private static async Task<object?> ReadAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(Cancellation);
    }
}
