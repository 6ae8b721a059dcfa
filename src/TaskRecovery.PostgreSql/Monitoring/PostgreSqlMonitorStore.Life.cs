using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>The life of one entry.</content>
internal sealed partial class PostgreSqlMonitorStore
{
    private const int MaxEvents = 1000;
    private const int MaxOperations = 100;

    public ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) => scope is null || await AdmitsAsync(connection, scope, entryId, token).ConfigureAwait(false)
                ? await ReadLifeAsync(connection, entryId, token).ConfigureAwait(false)
                : null,
            cancellationToken);

    public ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                var task = await FindTaskIdAsync(connection, entryId, token).ConfigureAwait(false);
                return (await database.ListAsync(
                    connection, MonitorSql.StepResult, [Arg.Int8(entryId), Arg.Uuid(task), Arg.Text(step)],
                    static row => row.GetString(0), token).ConfigureAwait(false)).FirstOrDefault();
            },
            cancellationToken);

    public ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                var task = await FindTaskIdAsync(connection, entryId, token).ConfigureAwait(false);
                return (await database.ListAsync(
                    connection, MonitorSql.CheckpointData, [Arg.Int8(entryId), Arg.Uuid(task)],
                    static row => row.GetString(0), token).ConfigureAwait(false)).FirstOrDefault();
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<RunLogLine>>(
            ListLimit,
            async (connection, token) =>
            {
                var parts = await database.ListAsync(
                    connection, MonitorSql.Log, [Arg.Int8(entryId)],
                    static row => StoredLog.Read(row.GetInt64(0), row.GetString(1)), token).ConfigureAwait(false);
                return [.. parts.SelectMany(static lines => lines)];
            },
            cancellationToken);

    private async ValueTask<bool> AdmitsAsync(
        NpgsqlConnection connection, EntryScope scope, long entryId, CancellationToken cancellationToken)
        => (await EntrySearch.MatchAsync(database, connection, new EntryQuery { Scope = scope }, [entryId], cancellationToken)
            .ConfigureAwait(false)).Length > 0;

    private async ValueTask<EntryLife?> ReadLifeAsync(NpgsqlConnection connection, long entryId, CancellationToken cancellationToken)
    {
        var entry = await database.ListAsync(
            connection, OperatorSql.Read, [Arg.Array([entryId], NpgsqlDbType.Bigint), Arg.Bool(true)],
            PostgreSqlQueueStore.ReadEntry, cancellationToken).ConfigureAwait(false);
        if (entry is [])
        {
            return null;
        }

        var extras = (await database.ListAsync(
            connection, MonitorSql.Extras, [Arg.Int8(entryId)], static row => ReadExtras(row), cancellationToken).ConfigureAwait(false))[0];
        var task = extras.TaskId is not { } taskId
            ? null
            : (await database.ListAsync(
                connection, TaskSql.Find, [Arg.Uuid(taskId)],
                static row => PostgreSqlJobStore.ReadTask(row, 0), cancellationToken).ConfigureAwait(false)).FirstOrDefault();
        var steps = await database.ListAsync(
            connection,
            MonitorSql.Steps,
            [Arg.Int8(entryId), Arg.Uuid(extras.TaskId)],
            static row => new EntryStep(row.GetString(0), row.Time(1), row.GetInt64(2), row.GetInt64(3)),
            cancellationToken).ConfigureAwait(false);
        var checkpoint = await database.ListAsync(
            connection,
            MonitorSql.Checkpoint,
            [Arg.Int8(entryId), Arg.Uuid(extras.TaskId)],
            static row => new EntryCheckpoint(row.Time(0), row.GetInt64(1), row.GetInt64(2)),
            cancellationToken).ConfigureAwait(false);
        var report = await database.ListAsync(
            connection,
            MonitorSql.Report,
            [Arg.Int8(entryId)],
            static row => new ReportedProgress(
                row.GetInt64(0), row.Int64OrNull(1),
                row.StringOrNull(2), row.Time(3), row.GetInt64(4)),
            cancellationToken).ConfigureAwait(false);
        var events = await database.ListAsync(
            connection, EventSql.OfEntry, [Arg.Int8(entryId), Arg.Int8(MaxEvents)], ReadEvent, cancellationToken).ConfigureAwait(false);
        events.Reverse();
        var operations = await database.ListAsync(
            connection, OperationSql.OfEntry, [Arg.Int8(entryId), Arg.Int8(MaxOperations)], ReadOperation, cancellationToken)
            .ConfigureAwait(false);
        operations.Reverse();
        var runs = await database.ListAsync(
            connection, MonitorSql.Runs, [Arg.Int8(entryId), Arg.Int8(MonitorLimits.Runs)],
            row => (Run: ReadRun(row, entryId), All: row.GetInt64(11)), cancellationToken).ConfigureAwait(false);
        runs.Reverse();
        return new EntryLife
        {
            Entry = entry[0],
            ReadAt = extras.ReadAt,
            Runs = [.. runs.Select(static run => run.Run)],
            OlderRuns = runs.Count == 0 ? 0 : runs[0].All - runs.Count,
            Claim = extras.Claim,
            HoldsUniqueKey = extras.HoldsKey,
            CancelRequestedAt = entry[0].EndedAt is null ? extras.CancelRequestedAt : null,
            Steps = steps,
            Checkpoint = checkpoint.FirstOrDefault(),
            Task = task,
            JobName = extras.JobName,
            TraceParent = extras.TraceParent,
            Progress = report.FirstOrDefault(),

            // Those of bulk operations are listed on their own.
            Events = events,
            Operations = operations,
        };
    }

    private async ValueTask<Guid?> FindTaskIdAsync(NpgsqlConnection connection, long entryId, CancellationToken cancellationToken)
        => await database.ListAsync(connection, MonitorSql.TaskOf, [Arg.Int8(entryId)], static row => row.GetGuid(0), cancellationToken)
            .ConfigureAwait(false) is [var task] ? task : null;

    private static EntryRun ReadRun(NpgsqlDataReader row, long entryId)
    {
        var node = row.StringOrNull(4);
        var endedAt = row.Time(2);
        return new EntryRun
        {
            Fence = row.GetInt64(0),
            End = (EntryRunEnd)row.GetInt16(1),
            EndedAt = endedAt,

            // An outcome without a node belongs to an entry that was cancelled while it waited.
            StartedAt = node is null ? null : ReaderExtensions.Start(endedAt, row.GetInt32(3)),
            Node = node,
            Attempt = row.GetInt16(5),
            Crashes = row.GetInt16(6),
            IsFinal = row.GetBoolean(7),
            Reason = row.StringOrNull(8),
            Error = row.StringOrNull(9),
            BlackBox = StoredBlackBox.Read(row.StringOrNull(10), entryId),
        };
    }

    private static EntryOperation ReadOperation(NpgsqlDataReader row) => new()
    {
        OperationId = row.GetInt64(0),
        Action = (BulkAction)row.GetInt16(1),
        Result = (OperatorResult)row.GetInt16(2),
        Audit = new AuditInfo(row.GetString(3), row.StringOrNull(4)) { Tool = row.StringOrNull(5) },
        StartedAt = row.Time(6),
        Undoes = row.Int64OrNull(7),
        Retry = row.IsDBNull(8) ? null : new RetryOptions { From = (RetryFrom)row.GetInt16(8), RunAt = row.TimeOrNull(9) },
    };

    private static LifeExtras ReadExtras(NpgsqlDataReader row) => new(
        row.IsDBNull(0)
            ? null
            : new EntryClaim
            {
                Fence = row.GetInt64(0),
                Node = row.GetString(1),
                NodeId = row.GetGuid(2),
                ClaimedAt = row.Time(3),
                Entries = row.GetInt32(4),
            },
        row.GetBoolean(5),
        row.TimeOrNull(6),
        row.StringOrNull(7),
        row.IsDBNull(8) ? null : row.GetGuid(8),
        row.StringOrNull(9),
        row.Time(10));

    private sealed record LifeExtras(
        EntryClaim? Claim, bool HoldsKey, DateTimeOffset? CancelRequestedAt,
        string? TraceParent, Guid? TaskId, string? JobName, DateTimeOffset ReadAt);
}
