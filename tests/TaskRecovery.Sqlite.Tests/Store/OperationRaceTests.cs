using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Steps of bulk operations between whose search and write another process changes the same entries.</summary>
public sealed class OperationRaceTests : IDisposable
{
    private static readonly AuditInfo Anna = new("anna");

    private readonly TemporaryDatabase _files = new();
    private readonly ListLogger _log = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_entry_that_is_claimed_after_it_was_found_waiting_is_not_asked_to_stop()
    {
        var (store, operations) = await OpenAsync();
        using var session = TemporaryDatabase.Join(store, "node", out _);
        await store.EnqueueAsync([TemporaryDatabase.Entry(), TemporaryDatabase.Entry()], null, Cancellation);
        var operation = await StartAsync(operations, BulkAction.Cancel, EntryState.Waiting);

        var step = await StepAsync(
            operations, operation, """
            delete from taskrecovery_waiting where id = 1;
            insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes)
            select 0, number, '[1]', '[0]', '[0]' from taskrecovery_nodes limit 1
            """);

        Assert.Equal((1L, 1L), (step.Done, step.Refused));
        var claimed = (await store.FindAsync(1, Cancellation))!;
        Assert.Equal((EntryState.Running, false), (claimed.State, claimed.CancelRequested));
        Assert.Equal(EntryState.Cancelled, (await store.FindAsync(2, Cancellation))!.State);
    }

    [Fact]
    public async Task An_entry_that_no_longer_matches_is_not_retried()
    {
        var (store, operations) = await OpenAsync();
        using var session = TemporaryDatabase.Join(store, "node", out var node);
        await store.EnqueueAsync([TemporaryDatabase.Entry(), TemporaryDatabase.Entry()], null, Cancellation);
        var claim = await store.CreateClaimer(node, "default", ["work"]).ClaimAsync(2, new SuspectAllowance(3, 2, 1), Cancellation);
        await store.FinishAsync(
            node, [.. claim.Entries.Select(
                entry => new RunOutcome { EntryId = entry.Id, Fence = claim.Fence, Kind = OutcomeKind.Failed })], Cancellation);
        var operation = await StartAsync(operations, BulkAction.Retry, EntryState.Failed);

        var step = await StepAsync(
            operations, operation, "update taskrecovery_outcomes set kind = 2, reason = 'cancel_requested' where entry = 1");

        Assert.Equal((1L, 1L), (step.Done, step.Refused));
        Assert.Equal(EntryState.Cancelled, (await store.FindAsync(1, Cancellation))!.State);
        Assert.Equal(EntryState.Waiting, (await store.FindAsync(2, Cancellation))!.State);
    }

    public void Dispose() => _files.Dispose();

    private async Task<(SqliteQueueStore Store, SqliteOperationStore Operations)> OpenAsync()
    {
        var store = await _files.OpenStoreAsync();
        var database = _files.Open(log: _log);
        var monitor = new SqliteMonitorStore(database);
        await _files.Store(database).PrepareAsync(Cancellation);
        return (store, new SqliteOperationStore(database, monitor));
    }

    private static async Task<long> StartAsync(SqliteOperationStore operations, BulkAction action, EntryState state)
    {
        var prepared = await operations.PrepareAsync(
            new NewOperation { Action = action, Query = new EntryQuery { States = [state] }, Expected = new Count(2) }, Anna, Cancellation);
        await operations.StartAsync(prepared.Id, Anna, TimeSpan.FromMinutes(10), Cancellation);
        return prepared.Id;
    }

    // The step has found its entries and waits for the write lock while the statements are executed.
    private async Task<BulkOperation> StepAsync(SqliteOperationStore operations, long operation, string statements)
    {
        Task<OperationStep> stepping;
        await using (var transaction = _files.Connect().BeginTransaction())
        {
            stepping = operations.StepAsync(operation, Cancellation).AsTask();
            await _log.WaitForAsync(5001);
            await using var command = new SqliteCommand(statements, transaction.Connection, transaction);
            await command.ExecuteNonQueryAsync(Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        return (await stepping).Operation!;
    }
}
