using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Bulk operations in PostgreSQL. The steps are in the other part.</summary>
/// <remarks>What is listed is read under the limits of the read model, so that no question takes the connections of the workers.</remarks>
internal sealed partial class PostgreSqlOperationStore(PostgreSqlDatabase database, PostgreSqlQueueStore queue)
    : IOperationStore
{
    private static readonly TimeSpan ListLimit = TimeSpan.FromSeconds(3);
    private const int PurgeRounds = 100;
    private const long PurgeEntries = 10_000;

    private readonly MonitorReads _reads = new(database, database.OpenCurrentMonitorAsync);

    public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken)
        => database.UseAsync(database.ReadTimeAsync, cancellationToken);

    public ValueTask<long> FindLastEntryAsync(CancellationToken cancellationToken)
        => database.UseAsync(
            async (connection, token) => (await database.ListAsync(
                connection, EraseSql.Last, [], static row => row.GetInt64(0), token).ConfigureAwait(false))[0],
            cancellationToken);

    public ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken)
        => database.InTransactionAsync(
            async (connection, token) => (await database.ListAsync(
                connection,
                OperationSql.Prepare,
                [
                    Arg.Int2((int)operation.Action), Arg.Text(StoredQuery.Write(operation.Query)),
                    Ids(operation.EntryIds), Arg.Int2((int?)operation.Retry?.From),
                    Arg.Time(operation.Retry?.RunAt), Arg.Text(audit.Actor), Arg.Text(audit.Reason),
                    Arg.Text(audit.Tool), Arg.Int8(operation.Expected.Value),
                    Arg.Int2((int)operation.Expected.Precision), Arg.Int8(operation.UpToId),
                ],
                ReadOperation,
                token).ConfigureAwait(false))[0].Operation,
            cancellationToken);

    public ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            expiry,
            (stored, isFresh, _) => OperationVerdicts.Start(stored.Operation, audit.Actor, isFresh, stored.IsExecutable),
            OperationSql.Start,
            [Arg.Int8(operationId), Arg.Text(audit.Reason)],
            new NewEvent(QueueEventKind.OperationStarted, audit),
            cancellationToken);

    public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            TimeSpan.Zero,
            static (stored, _, _) => OperationVerdicts.Stop(stored.Operation),
            OperationSql.Stop,
            [Arg.Int8(operationId)],
            new NewEvent(QueueEventKind.OperationStopped, audit),
            cancellationToken);

    public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            OperationVerdicts.Kept,
            static (stored, isKept, lastUndo) => OperationVerdicts.Undo(stored.Operation, isKept, lastUndo),
            OperationSql.Undo,
            [Arg.Int8(operationId), Arg.Text(audit.Actor), Arg.Text(audit.Reason), Arg.Text(audit.Tool)],
            new NewEvent(QueueEventKind.OperationUndone, audit),
            cancellationToken);

    public ValueTask<BulkOperation?> FindAsync(long operationId, EntryScope? scope, CancellationToken cancellationToken)
        => _reads.ReadAsync(ListLimit, (connection, token) => FindAsync(connection, operationId, scope, token), cancellationToken);

    public ValueTask<OperationPage> ListAsync(OperationQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                // One operation more than the limit shows whether there is another page.
                var operations = await database.ListAsync(
                    connection, OperationSql.List, [Arg.Int8(query.Before ?? long.MaxValue), Arg.Int8(query.Limit + 1)],
                    static row => ReadOperation(row).Operation, token).ConfigureAwait(false);
                return operations.Count > query.Limit
                    ? new OperationPage(operations[..query.Limit], operations[query.Limit - 1].Id)
                    : new OperationPage(operations, null);
            },
            cancellationToken);

    public ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                // One entry more than the limit shows whether there is another page.
                var entries = await database.ListAsync(
                    connection,
                    OperationSql.ListEntries,
                    [Arg.Int8(query.OperationId), Arg.Int8(query.After ?? 0), Arg.Bool(query.OnlyRefused), Arg.Int8(query.Limit + 1)],
                    static row => new OperationEntry(row.GetInt64(0), (OperatorResult)row.GetInt16(1)),
                    token).ConfigureAwait(false);
                return entries.Count > query.Limit
                    ? new OperationEntryPage(entries[..query.Limit], entries[query.Limit - 1].EntryId)
                    : new OperationEntryPage(entries, null);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken)
        => database.UseAsync<IReadOnlyList<long>>(
            async (connection, token) => await database.ListAsync(
                connection, OperationSql.Running, [], static row => row.GetInt64(0), token).ConfigureAwait(false), cancellationToken);

    public async ValueTask PurgeAsync(CancellationToken cancellationToken)
    {
        for (var round = 0; round < PurgeRounds; round++)
        {
            var found = await database.UseAsync(
                (connection, token) => database.ListAsync(
                    connection, OperationSql.Purge, [Arg.Int8(PurgeEntries), Arg.Micros(OperationVerdicts.Kept)],
                    static row => row.GetBoolean(0), token),
                cancellationToken).ConfigureAwait(false);
            if (!found[0])
            {
                return;
            }
        }
    }

    private async ValueTask<BulkOperation?> FindAsync(
        NpgsqlConnection connection, long operationId, EntryScope? scope, CancellationToken cancellationToken)
    {
        var (statement, args) = scope is null
            ? (OperationSql.Find, new[] { Arg.Int8(operationId) })
            : (OperationSql.FindInScope, new[] { Arg.Int8(operationId), Arg.Text(StoredQuery.PartOf(scope)) });
        return (await database.ListAsync(connection, statement, args, ReadOperation, cancellationToken).ConfigureAwait(false))
            .FirstOrDefault()?.Operation;
    }

    // Locks the operation, decides, changes it, and stores the event: one transaction.
    private ValueTask<OperationAnswer> CommandAsync(
        long operationId, TimeSpan expiry, Func<StoredOperation, bool, OperationState?, OperationResult> decide,
        string statement, NpgsqlParameter[] args, NewEvent added, CancellationToken cancellationToken)
        => database.InTransactionAsync(
            async (connection, token) =>
            {
                var found = await database.ListAsync(
                    connection,
                    OperationSql.Lock,
                    [Arg.Int8(operationId), Arg.Micros(expiry)],
                    static row => (
                        Stored: ReadOperation(row), IsFresh: row.GetBoolean(21),
                        LastUndo: row.IsDBNull(22) ? (OperationState?)null : (OperationState)row.GetInt16(22)),
                    token).ConfigureAwait(false);
                if (found is not [var (stored, isFresh, lastUndo)])
                {
                    return new OperationAnswer(OperationResult.NotFound, null);
                }

                var operation = stored.Operation;
                var result = decide(stored, isFresh, lastUndo);
                if (result != OperationResult.Done)
                {
                    return new OperationAnswer(result, operation);
                }

                var changed =
                    (await database.ListAsync(connection, statement, args, ReadOperation, token).ConfigureAwait(false))[0].Operation;
                await database.AddEventAsync(
                    connection,
                    added with
                    {
                        OperationId = operationId,
                        EntryId = stored.OnlyEntry,
                        Subject = operation.Action.ToString(),
                        Entries = operation.State == OperationState.Prepared ? operation.Expected.Value : operation.Done,
                        Detail = added.Kind == QueueEventKind.OperationStarted ? RetryText.Of(operation.Retry) : null,
                    },
                    token).ConfigureAwait(false);
                return new OperationAnswer(OperationResult.Done, changed);
            },
            cancellationToken);

    private static NpgsqlParameter Ids(IReadOnlyCollection<long>? ids)
        => new() { Value = ids is null ? DBNull.Value : ids.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    private static StoredOperation ReadOperation(NpgsqlDataReader row)
    {
        var action = (BulkAction)row.GetInt16(1);
        var (query, isReadable) = StoredQuery.Read(row.StringOrNull(3));
        long[]? ids = row.IsDBNull(4) ? null : row.GetFieldValue<long[]>(4);
        var operation = new BulkOperation
        {
            Id = row.GetInt64(0),
            Action = action,
            State = (OperationState)row.GetInt16(2),
            Query = query,
            SampleIds = StoredOperation.SampleOf(ids),
            Retry = row.IsDBNull(5) ? null : new RetryOptions { From = (RetryFrom)row.GetInt16(5), RunAt = row.TimeOrNull(6) },
            Undoes = row.Int64OrNull(7),
            UndoneBy = row.Int64OrNull(8),
            Audit = new AuditInfo(row.GetString(9), row.StringOrNull(10)) { Tool = row.StringOrNull(11) },
            CreatedAt = row.Time(12),
            StartedAt = row.TimeOrNull(13),
            EndedAt = row.TimeOrNull(14),
            UpToId = row.GetInt64(15),
            Expected = new Count(row.GetInt64(17), (CountPrecision)row.GetInt16(18)),
            Done = row.GetInt64(19),
            Refused = row.GetInt64(20),
        };
        return new StoredOperation(operation, row.GetInt64(16), ids, isReadable);
    }
}
