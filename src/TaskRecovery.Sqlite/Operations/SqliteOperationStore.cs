using System.Text;
using System.Text.Json;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Bulk operations in a SQLite file. The steps are in the other part.</summary>
internal sealed partial class SqliteOperationStore(SqliteDatabase database, SqliteMonitorStore monitor) : IOperationStore
{
    private const int PurgeRounds = 100;
    private const int PurgeEntries = 5_000;

    public ValueTask<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken)
        => database.ReadAsync(_ => Micros.ToTime(database.Now()), cancellationToken);

    public ValueTask<long> FindLastEntryAsync(CancellationToken cancellationToken)
        => database.ReadAsync(static session => session.Get(OperationSql.LastEntry).Scalar() ?? 0, cancellationToken);

    public ValueTask<BulkOperation> PrepareAsync(NewOperation operation, AuditInfo audit, CancellationToken cancellationToken)
        => database.WriteAsync(
            session =>
            {
                var last = operation.UpToId ?? session.Get(OperationSql.LastEntry).Scalar() ?? 0;
                var id = Insert(session, operation, OperationState.Prepared, undoes: null, last, audit);
                return Read(session, id)!.Operation;
            },
            cancellationToken);

    public ValueTask<OperationAnswer> StartAsync(long operationId, AuditInfo audit, TimeSpan expiry, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            (_, stored) => OperationVerdicts.Start(
                stored.Operation, audit.Actor, isFresh: Micros.From(stored.Operation.CreatedAt) > database.Now() - Micros.From(expiry),
                stored.IsExecutable),
            (session, operation) =>
            {
                session.Get(OperationSql.Start).Bind(1, operation.Id).Bind(2, database.Now()).Bind(3, audit.Reason).Execute();
                return operation.Id;
            },
            new NewEvent(QueueEventKind.OperationStarted, audit),
            cancellationToken);

    public ValueTask<OperationAnswer> StopAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            static (_, stored) => OperationVerdicts.Stop(stored.Operation),
            (session, operation) =>
            {
                session.Get(OperationSql.Stop).Bind(1, operation.Id).Bind(2, database.Now()).Execute();
                return operation.Id;
            },
            new NewEvent(QueueEventKind.OperationStopped, audit),
            cancellationToken);

    public ValueTask<OperationAnswer> UndoAsync(long operationId, AuditInfo audit, CancellationToken cancellationToken)
        => CommandAsync(
            operationId,
            (session, stored) => OperationVerdicts.Undo(
                stored.Operation,
                isKept: stored.Operation.EndedAt is { } ended && Micros.From(ended) > database.Now() - Micros.From(OperationVerdicts.Kept),
                LastUndo(session, stored.Operation)?.Operation.State),
            (session, operation) =>
            {
                // Continues where an undo before was stopped.
                var before = LastUndo(session, operation);
                var left = before?.Operation is { } stopped
                    ? Math.Max(0, stopped.Expected.Value - stopped.Done - stopped.Refused)
                    : operation.Done;
                var undo = new NewOperation { Action = BulkAction.Undo, Query = operation.Query, Expected = new Count(left) };
                var last = Math.Max(operation.UpToId, session.Get(OperationSql.LastChanged).Bind(1, operation.Id).Scalar() ?? 0);
                var id = Insert(session, undo, OperationState.Running, operation.Id, last, audit);
                if (before is not null)
                {
                    session.Get(OperationSql.BeginAt).Bind(1, id).Bind(2, before.Position).Execute();
                }

                session.Get(OperationSql.MarkUndone).Bind(1, operation.Id).Bind(2, id).Execute();
                return id;
            },
            new NewEvent(QueueEventKind.OperationUndone, audit),
            cancellationToken);

    public ValueTask<BulkOperation?> FindAsync(long operationId, EntryScope? scope, CancellationToken cancellationToken)
        => monitor.ReadAsync(session => Read(session, operationId, scope)?.Operation, cancellationToken);

    public ValueTask<OperationPage> ListAsync(OperationQuery query, CancellationToken cancellationToken)
        => monitor.ReadAsync(
            session =>
            {
                // One operation more than the limit shows whether there is another page.
                var operations = new List<BulkOperation>();
                var statement = session.Get(OperationSql.List).Bind(1, query.Before ?? long.MaxValue).Bind(2, query.Limit + 1);
                while (statement.Step())
                {
                    operations.Add(ReadOperation(statement).Operation);
                }

                return operations.Count > query.Limit
                    ? new OperationPage(operations[..query.Limit], operations[query.Limit - 1].Id)
                    : new OperationPage(operations, null);
            },
            cancellationToken);

    public ValueTask<OperationEntryPage> ListEntriesAsync(OperationEntryQuery query, CancellationToken cancellationToken)
        => monitor.ReadAsync(
            session =>
            {
                // One entry more than the limit shows whether there is another page.
                var entries = new List<OperationEntry>();
                var statement = session.Get(OperationSql.ListEntries)
                    .Bind(1, query.OperationId).Bind(2, query.After ?? 0).Bind(3, query.OnlyRefused).Bind(4, query.Limit + 1);
                while (statement.Step())
                {
                    entries.Add(new OperationEntry(statement.Int64(0), (OperatorResult)statement.Int32(1)));
                }

                return entries.Count > query.Limit
                    ? new OperationEntryPage(entries[..query.Limit], entries[query.Limit - 1].EntryId)
                    : new OperationEntryPage(entries, null);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<long>> ListRunningAsync(CancellationToken cancellationToken)
        => database.ReadBrieflyAsync<IReadOnlyList<long>>(
            static session =>
            {
                var ids = new List<long>();
                var statement = session.Get(OperationSql.Running);
                while (statement.Step())
                {
                    ids.Add(statement.Int64(0));
                }

                return ids;
            },
            cancellationToken);

    public async ValueTask PurgeAsync(CancellationToken cancellationToken)
    {
        for (var round = 0; round < PurgeRounds; round++)
        {
            var now = database.Now();
            if (!await database.ReadBrieflyAsync(session => FindOld(session, now) is not null, cancellationToken).ConfigureAwait(false))
            {
                return;
            }

            await database.WriteAsync(session => PurgeSome(session, now), cancellationToken, isLong: true).ConfigureAwait(false);
        }
    }

    private static long? FindOld(SqliteSession session, long now)
        => session.Get(OperationSql.Old).Bind(1, now - Micros.From(OperationVerdicts.Kept)).Bind(
            2, now - Micros.From(TimeSpan.FromDays(1))).Scalar();

    private static bool PurgeSome(SqliteSession session, long now)
    {
        if (FindOld(session, now) is not { } id)
        {
            return false;
        }

        if (session.Get(OperationSql.DeleteEntries).Bind(1, id).Bind(2, PurgeEntries).ExecuteChanges() < PurgeEntries)
        {
            session.Get(OperationSql.Delete).Bind(1, id).Execute();
        }

        return true;
    }

    // Decides, changes the operation, and stores the event: one transaction.
    private ValueTask<OperationAnswer> CommandAsync(
        long operationId, Func<SqliteSession, StoredOperation, OperationResult> decide,
        Func<SqliteSession, BulkOperation, long> change, NewEvent added, CancellationToken cancellationToken)
        => database.WriteAsync(
            session =>
            {
                if (Read(session, operationId) is not { } stored)
                {
                    return new OperationAnswer(OperationResult.NotFound, null);
                }

                var operation = stored.Operation;
                var result = decide(session, stored);
                if (result != OperationResult.Done)
                {
                    return new OperationAnswer(result, operation);
                }

                var changed = Read(session, change(session, operation))!.Operation;
                EventWriter.Add(
                    session,
                    database.Now(),
                    added with
                    {
                        OperationId = operationId,
                        EntryId = stored.OnlyEntry,
                        Subject = operation.Action.ToString(),
                        Entries = operation.State == OperationState.Prepared ? operation.Expected.Value : operation.Done,
                        Detail = added.Kind == QueueEventKind.OperationStarted ? RetryText.Of(operation.Retry) : null,
                    });
                return new OperationAnswer(OperationResult.Done, changed);
            },
            cancellationToken);

    private long Insert(SqliteSession session, NewOperation operation, OperationState state, long? undoes, long upToId, AuditInfo audit)
    {
        var now = database.Now();
        session.Get(OperationSql.Insert)
            .Bind(1, (int)operation.Action).Bind(2, (int)state).Bind(3, StoredQuery.Write(operation.Query))
            .Bind(4, operation.EntryIds is { } ids ? Encoding.UTF8.GetString(ClaimContents.Write([.. ids], static id => id)) : null)
            .Bind(5, (long?)operation.Retry?.From).Bind(6, Micros.From(operation.Retry?.RunAt)).Bind(7, undoes)
            .Bind(8, audit.Actor).Bind(9, audit.Reason).Bind(10, audit.Tool).Bind(11, now).Bind(
                12, state == OperationState.Running ? now : (long?)null)
            .Bind(13, upToId).Bind(14, operation.Expected.Value).Bind(15, (int)operation.Expected.Precision)
            .Execute();
        return session.LastInsertId;
    }

    private static StoredOperation? LastUndo(SqliteSession session, BulkOperation operation)
        => operation.UndoneBy is { } id ? Read(session, id) : null;

    private static StoredOperation? Read(SqliteSession session, long operationId, EntryScope? scope = null)
    {
        var statement = scope is null
            ? session.Get(OperationSql.Find).Bind(1, operationId)
            : session.Get(OperationSql.FindInScope).Bind(1, operationId).Bind(2, StoredQuery.PartOf(scope));
        var stored = statement.Step() ? ReadOperation(statement) : null;
        statement.Reset();
        return stored;
    }

    private static StoredOperation ReadOperation(SqliteStatement row)
    {
        var (query, isReadable) = StoredQuery.Read(row.NullableText(3));
        var ids = ReadIds(row.NullableText(4));
        var operation = new BulkOperation
        {
            Id = row.Int64(0),
            Action = (BulkAction)row.Int32(1),
            State = (OperationState)row.Int32(2),
            Query = query,
            SampleIds = StoredOperation.SampleOf(ids.Ids),
            Retry = row.IsNull(5) ? null : new RetryOptions { From = (RetryFrom)row.Int32(5), RunAt = Micros.ToTime(row.NullableInt64(6)) },
            Undoes = row.NullableInt64(7),
            UndoneBy = row.NullableInt64(8),
            Audit = new AuditInfo(row.Text(9), row.NullableText(10)) { Tool = row.NullableText(11) },
            CreatedAt = Micros.ToTime(row.Int64(12)),
            StartedAt = Micros.ToTime(row.NullableInt64(13)),
            EndedAt = Micros.ToTime(row.NullableInt64(14)),
            UpToId = row.Int64(15),
            Expected = new Count(row.Int64(17), (CountPrecision)row.Int32(18)),
            Done = row.Int64(19),
            Refused = row.Int64(20),
        };
        return new StoredOperation(operation, row.Int64(16), ids.Ids, isReadable && ids.IsReadable);
    }

    private static (long[]? Ids, bool IsReadable) ReadIds(string? json)
    {
        try
        {
            return (json is null ? null : JsonSerializer.Deserialize(json, EntryJsonContext.Default.Int64Array), true);
        }
        catch (JsonException)
        {
            return (null, false);
        }
    }
}
