using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The read model in PostgreSQL. One file per aspect; the statements are in Sql/.</summary>
/// <param name="database">The database.</param>
/// <param name="isCurrent">Whether it never reads from a standby, which may not have what was stored a moment ago.</param>
internal sealed partial class PostgreSqlMonitorStore(PostgreSqlDatabase database, bool isCurrent = false) : IMonitorStore
{
    private static readonly TimeSpan SnapshotLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ListLimit = TimeSpan.FromSeconds(3);

    private readonly MonitorReads _reads = new(database, isCurrent ? database.OpenCurrentMonitorAsync : database.OpenMonitorAsync);

    private PostgreSqlMonitorStore? _current;

    public MonitorFeatures Features => MonitorFeatures.All;

    public IMonitorStore Current => isCurrent || !database.MonitorMayLag
        ? this
        : LazyInitializer.EnsureInitialized(ref _current, () => new PostgreSqlMonitorStore(database, isCurrent: true));

    public ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken)
        => _reads.ReadAsync(
            SnapshotLimit,
            async (connection, token) =>
            {
                var queues = await database.ListAsync(
                    connection, MonitorSql.Queues, [Arg.Int8(MonitorLimits.Waiting)], ReadQueue, token).ConfigureAwait(false);
                var running = await database.ListAsync(
                    connection, MonitorSql.Running, [Arg.Int8(MonitorLimits.Running)],
                    static row => (Queue: row.IsDBNull(0) ? (int?)null : row.GetInt32(0), Count: row.GetInt64(1)), token)
                    .ConfigureAwait(false);
                var nodes = await ReadServedAsync(connection, token).ConfigureAwait(false);
                var ended = await database.ListAsync(
                    connection, MonitorSql.Ended, [Arg.Int8(MonitorLimits.Unwell)], ReadEnded, token).ConfigureAwait(false);
                var recent = await database.ListAsync(
                    connection, StatisticsSql.Recent, [], static row => ReadTotals(row, 1), token).ConfigureAwait(false);
                var runningStopped = running.Exists(static queue => queue is { Queue: null, Count: > MonitorLimits.Running });
                var counts = running.Where(static queue => queue.Queue is not null).ToDictionary(
                    static queue => queue.Queue!.Value, static queue => queue.Count);
                return ended[0] with
                {
                    Queues = [.. queues.Select(queue => queue.Summary with
                    {
                        Running = new Count(
                            counts.GetValueOrDefault(queue.Id), runningStopped ? CountPrecision.AtLeast : CountPrecision.Exact),
                        Nodes = nodes.Count(node => node.Queues.Any(served => served.Name == queue.Summary.Name)),
                        Concurrency = nodes.SelectMany(static node => node.Queues).Where(served => served.Name == queue.Summary.Name).Sum(
                            static served => served.Concurrency),
                    })],
                    LastHour = recent[0],
                    LastDay = recent[1],
                };
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<KindSummary>>(
            ListLimit,
            async (connection, token) =>
            {
                var nodes = await ReadServedAsync(connection, token).ConfigureAwait(false);
                var kinds = await database.ListAsync(
                    connection, MonitorSql.Kinds, [Arg.Int8(MonitorLimits.Waiting)], ReadKind, token).ConfigureAwait(false);
                return [.. kinds.Select(
                    kind => kind with { Nodes = nodes.Count(node => node.Kinds.Contains(kind.Name, StringComparer.Ordinal)) })];
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<NodeSummary>>(
            ListLimit,
            async (connection, token) => await database.ListAsync(connection, MonitorSql.Nodes, [], ReadNode, token).ConfigureAwait(false),
            cancellationToken);

    // A job has no metadata, so that a scope by metadata admits no task.
    public ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope, CancellationToken cancellationToken)
        => scope is { Metadata: not null }
            ? ValueTask.FromResult<TaskRecord?>(null)
            : _reads.ReadAsync(
                ListLimit,
                async (connection, token) =>
                {
                    var (statement, args) = scope is null
                        ? (TaskSql.Find, new[] { Arg.Uuid(taskId) })
                        : (TaskSql.FindInScope, new[] { Arg.Uuid(taskId), Arg.Names(scope.Queues), Arg.Names(scope.Kinds) });
                    return (await database.ListAsync(
                        connection, statement, args, static row => PostgreSqlJobStore.ReadTask(row, 0), token).ConfigureAwait(false))
                        .FirstOrDefault();
                },
                cancellationToken);

    public ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                await database.ListAsync(
                    connection, MonitorSql.InIndexOrder, [], static row => row.GetString(0), token).ConfigureAwait(false);

                // Request one more task than needed: if it is returned, there is another page.
                var tasks = await database.ListAsync(
                    connection,
                    MonitorSql.Tasks,
                    [Arg.Uuid(query.JobId), Arg.Int2((int?)query.State), Arg.Uuid(query.Before),
                        Arg.Int8(query.MaxExamined), Arg.Int8(query.Limit + 1)],
                    static row => PostgreSqlJobStore.ReadTask(row, 0),
                    token).ConfigureAwait(false);
                if (tasks.Count > query.Limit)
                {
                    return new TaskPage(tasks[..query.Limit], tasks[query.Limit - 1].Id, IsComplete: false);
                }

                var edge = await database.ListAsync(
                    connection, MonitorSql.TaskEdge, [Arg.Uuid(query.JobId), Arg.Uuid(query.Before), Arg.Int8(query.MaxExamined)],
                    static row => row.GetGuid(0), token).ConfigureAwait(false);
                return edge is [var last] ? new TaskPage(tasks, last, IsComplete: false) : new TaskPage(tasks, null, IsComplete: true);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<TaskRecord>>(
            ListLimit,
            async (connection, token) => await database.ListAsync(
                connection, MonitorSql.LastTasks,
                [Arg.Array([.. query.JobIds.Distinct()], NpgsqlTypes.NpgsqlDbType.Uuid), Arg.Int8(query.Limit)],
                static row => PostgreSqlJobStore.ReadTask(row, 0), token).ConfigureAwait(false),
            cancellationToken);

    // A silent node claims nothing. If all processes were killed at once, no other node declares it dead.
    private async ValueTask<List<StoredNodeInfo>> ReadServedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var nodes = await database.ListAsync(
            connection, MonitorSql.LivingNodes, [],
            static row => (Info: StoredNodeInfo.Read(row.StringOrNull(0)), HeartbeatAge: row.MicrosecondsOrNull(1)), cancellationToken)
            .ConfigureAwait(false);
        return [.. nodes.Where(static node => !node.Info.IsSilent(node.HeartbeatAge ?? TimeSpan.Zero)).Select(static node => node.Info)];
    }

    private static (int Id, QueueSummary Summary) ReadQueue(NpgsqlDataReader row) => (row.GetInt32(0), new QueueSummary
    {
        Name = row.GetString(1),
        Pause = ReadPause(row, 2),
        Due = Stopped(row.GetInt64(7), MonitorLimits.Waiting),
        Later = Stopped(row.GetInt64(8), MonitorLimits.Waiting),
        OldestDue = row.MicrosecondsOrNull(9),
        Running = default,
    });

    private static KindSummary ReadKind(NpgsqlDataReader row) => new()
    {
        Name = row.GetString(0),
        Pause = ReadPause(row, 1),
        Waiting = new Count(row.GetInt64(6), row.GetBoolean(8) ? CountPrecision.AtLeast : CountPrecision.Exact),
        OldestDue = row.MicrosecondsOrNull(7),
    };

    // Columns: whether it is paused, since when, by whom, why, until when.
    internal static PauseInfo? ReadPause(NpgsqlDataReader row, int first) => !row.GetBoolean(first) ? null : new PauseInfo
    {
        Since = row.TimeOrNull(first + 1),
        Actor = row.StringOrNull(first + 2),
        Reason = row.StringOrNull(first + 3),
        Until = row.TimeOrNull(first + 4),
    };

    private static QueueSnapshot ReadEnded(NpgsqlDataReader row)
    {
        var stopped = row.GetBoolean(3) ? CountPrecision.AtLeast : CountPrecision.Exact;
        return new QueueSnapshot
        {
            TakenAt = row.GetFieldValue<DateTimeOffset>(0),
            Queues = [],
            Failed = new Count(row.GetInt64(1), stopped),
            Cancelled = new Count(row.GetInt64(2), stopped),
            Stored = new Count(row.GetInt64(4), CountPrecision.About),
            LastHour = new EntryTotals(),
            LastDay = new EntryTotals(),
        };
    }

    private static NodeSummary ReadNode(NpgsqlDataReader row)
    {
        var info = StoredNodeInfo.Read(row.StringOrNull(11));
        var age = row.MicrosecondsOrNull(5) is { } span && span > TimeSpan.Zero ? span : TimeSpan.Zero;
        var isDead = !row.IsDBNull(7);
        var left = row.GetBoolean(8);
        return new NodeSummary
        {
            Id = row.GetGuid(0),
            Name = row.GetString(1),
            State = left ? NodeState.Left : isDead ? NodeState.Dead : info.IsSilent(age) ? NodeState.Silent : NodeState.Alive,
            Machine = row.GetString(2),
            ProcessId = row.GetInt32(3),
            LibraryVersion = info.LibraryVersion,
            ApplicationVersion = info.ApplicationVersion,
            StartedAt = row.Time(4),
            HeartbeatAge = age,
            HoldsLock = row.GetBoolean(6),
            DeadAt = row.TimeOrNull(7),
            Proof = !isDead ? null : left ? DeathProof.Left : row.IsDBNull(10) ? DeathProof.Unknown : (DeathProof)row.GetInt16(10),
            DeclaredBy = row.StringOrNull(9),
            Queues = info.Queues,
            Kinds = info.Kinds,
            Claims = (int)row.GetInt64(12),
            Entries = (int)row.GetInt64(13),
            Vitals = StoredVitals.Read(row.StringOrNull(14)),
        };
    }

    private static Count Stopped(long value, long limit) => value >= limit ? new Count(limit, CountPrecision.AtLeast) : new Count(value);
}
