using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>The life of one entry.</content>
internal sealed partial class SqliteMonitorStore
{
    private const int MaxEvents = 1000;
    private const int MaxOperations = 100;

    public ValueTask<EntryLife?> GetLifeAsync(long entryId, EntryScope? scope, CancellationToken cancellationToken)
        => ReadAsync(
            session => scope is null || Matching(session, new EntryQuery { Scope = scope }, [entryId]).Count > 0
                ? Life(session, entryId)
                : null,
            cancellationToken);

    public ValueTask<string?> GetStepResultAsync(long entryId, string step, CancellationToken cancellationToken)
        => ReadAsync(
            session => session.Get(MonitorSql.StepResult)
                .Bind(1, entryId).Bind(2, TaskMoves.Find(session, entryId)).Bind(3, step).ScalarText(),
            cancellationToken);

    public ValueTask<string?> GetCheckpointAsync(long entryId, CancellationToken cancellationToken)
        => ReadAsync(
            session => session.Get(MonitorSql.CheckpointData).Bind(1, entryId).Bind(2, TaskMoves.Find(session, entryId)).ScalarText(),
            cancellationToken);

    public ValueTask<IReadOnlyList<RunLogLine>> ListLogAsync(long entryId, CancellationToken cancellationToken)
        => ReadAsync<IReadOnlyList<RunLogLine>>(
            session =>
            {
                var lines = new List<RunLogLine>();
                var statement = session.Get(RunInfoSql.FindLog).Bind(1, entryId);
                while (statement.Step())
                {
                    lines.AddRange(StoredLog.Read(statement.Int64(0), statement.Text(1)));
                }

                return lines;
            },
            cancellationToken);

    private EntryLife? Life(SqliteSession session, long entryId)
    {
        var running = new Lazy<RunningEntries>(() => RunningEntries.ReadOne(session, entryId));
        if (SqliteQueueStore.Find(session, entryId, withPayloads: true, running) is not { } entry)
        {
            return null;
        }

        var statement = session.Get(MonitorSql.Extras).Bind(1, entryId);
        statement.Step();
        var (holdsKey, requestedAt, trace, task, job) = (
            statement.Boolean(0), Micros.ToTime(statement.NullableInt64(1)),
            statement.NullableText(2), statement.NullableGuid(3), statement.NullableText(4));
        statement.Reset();
        var runs = Runs(session, entryId);
        return new EntryLife
        {
            Entry = entry,
            ReadAt = Micros.ToTime(database.Now()),
            Runs = runs,
            OlderRuns = runs.Count < MonitorLimits.Runs
                ? 0
                : (session.Get(MonitorSql.CountRuns).Bind(1, entryId).Scalar() ?? 0) - runs.Count,
            Claim = entry.State == EntryState.Running && running.Value.Find(entryId) is { } run ? ReadClaim(session, run) : null,
            HoldsUniqueKey = holdsKey,
            CancelRequestedAt = entry.EndedAt is null ? requestedAt : null,
            Steps = Steps(session, entryId, task),
            Checkpoint = Checkpoint(session, entryId, task),
            Task = task is { } id ? SqliteJobStore.ReadTasks(session.Get(TaskSql.Find).Bind(1, id)).FirstOrDefault() : null,
            JobName = job,
            TraceParent = trace,
            Progress = Report(session, entryId),
            Events = [.. ReadEvents(session.Get(HistorySql.EventsOfEntry).Bind(1, entryId).Bind(2, MaxEvents)).AsEnumerable().Reverse()],
            Operations = ReadOperations(session, entryId),
        };
    }

    private static List<EntryOperation> ReadOperations(SqliteSession session, long entryId)
    {
        var operations = new List<EntryOperation>();
        var statement = session.Get(OperationSql.OfEntry).Bind(1, entryId).Bind(2, MaxOperations);
        while (statement.Step())
        {
            operations.Add(new EntryOperation
            {
                OperationId = statement.Int64(0),
                Action = (BulkAction)statement.Int32(1),
                Result = (OperatorResult)statement.Int32(2),
                Audit = new AuditInfo(statement.Text(3), statement.NullableText(4)) { Tool = statement.NullableText(5) },
                StartedAt = Micros.ToTime(statement.Int64(6)),
                Undoes = statement.NullableInt64(7),
                Retry = statement.IsNull(8)
                    ? null
                    : new RetryOptions { From = (RetryFrom)statement.Int32(8), RunAt = Micros.ToTime(statement.NullableInt64(9)) },
            });
        }

        operations.Reverse();
        return operations;
    }

    private static ReportedProgress? Report(SqliteSession session, long entryId)
    {
        var statement = session.Get(RunInfoSql.FindReport).Bind(1, entryId);
        var report = statement.Step()
            ? new ReportedProgress(
                statement.Int64(0), statement.NullableInt64(1), statement.NullableText(2),
                Micros.ToTime(statement.Int64(3)), statement.Int64(4))
            : null;
        statement.Reset();
        return report;
    }

    private static EntryClaim ReadClaim(SqliteSession session, RunningEntry run) => new()
    {
        Fence = run.Fence,
        Node = run.Node,
        NodeId = run.NodeId,
        ClaimedAt = run.ClaimedAt,
        Entries = (int)(session.Get(MonitorSql.ClaimSize).Bind(1, run.Fence).Scalar() ?? 0),
    };

    private static List<EntryRun> Runs(SqliteSession session, long entryId)
    {
        var runs = new List<EntryRun>();
        var statement = session.Get(MonitorSql.Runs).Bind(1, entryId).Bind(2, MonitorLimits.Runs);
        while (statement.Step())
        {
            var node = statement.IsNull(6) ? null : statement.Boolean(5) ? statement.Text(4) : statement.Guid(6).ToString();
            runs.Add(new EntryRun
            {
                Fence = statement.Int64(0),
                End = (EntryRunEnd)statement.Int32(1),
                EndedAt = Micros.ToTime(statement.Int64(2)),

                // An outcome without a node belongs to an entry that was cancelled while it waited.
                StartedAt = node is null ? null : Micros.Start(statement.Int64(2), statement.Int64(3)),
                Node = node,
                Attempt = statement.Int32(7),
                Crashes = statement.Int32(8),
                IsFinal = statement.Boolean(9),
                Reason = statement.NullableText(10),
                Error = statement.NullableText(11),
                BlackBox = StoredBlackBox.Read(statement.NullableText(12), entryId),
            });
        }

        runs.Reverse();
        return runs;
    }

    private static List<EntryStep> Steps(SqliteSession session, long entryId, Guid? task)
    {
        var steps = new List<EntryStep>();
        var statement = session.Get(MonitorSql.Steps).Bind(1, entryId).Bind(2, task);
        while (statement.Step())
        {
            steps.Add(new EntryStep(statement.Text(0), Micros.ToTime(statement.Int64(1)), statement.Int64(2), statement.Int64(3)));
        }

        return steps;
    }

    private static EntryCheckpoint? Checkpoint(SqliteSession session, long entryId, Guid? task)
    {
        var statement = session.Get(MonitorSql.Checkpoint).Bind(1, entryId).Bind(2, task);
        var checkpoint = statement.Step()
            ? new EntryCheckpoint(Micros.ToTime(statement.Int64(0)), statement.Int64(1), statement.Int64(2))
            : null;
        statement.Reset();
        return checkpoint;
    }
}
