using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>The read model in a SQLite file. One file per aspect; the statements are in Sql/.</summary>
/// <remarks>A reader keeps the log from being reset, so a question that examines many entries is answered in several short
/// reads.</remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle is not used holds nothing. If it were "
    + "disposed with the store, a read in progress could not release it, and a waiting one would wait forever.")]
internal sealed partial class SqliteMonitorStore(SqliteDatabase database) : IMonitorStore
{
    private const int MaxReads = 2;
    private const int LastTasksOfJobs = 100;

    private readonly SemaphoreSlim _free = new(MaxReads);

    public MonitorFeatures Features => MonitorFeatures.All;

    public ValueTask<QueueSnapshot> GetSnapshotAsync(CancellationToken cancellationToken) => ReadAsync(Snapshot, cancellationToken);

    public ValueTask<IReadOnlyList<KindSummary>> ListKindsAsync(CancellationToken cancellationToken) => ReadAsync(Kinds, cancellationToken);

    public ValueTask<IReadOnlyList<NodeSummary>> ListNodesAsync(CancellationToken cancellationToken) => ReadAsync(Nodes, cancellationToken);

    // A job has no metadata, so that a scope by metadata admits no task.
    public ValueTask<TaskRecord?> FindTaskAsync(Guid taskId, EntryScope? scope, CancellationToken cancellationToken)
        => scope is { Metadata: not null }
            ? ValueTask.FromResult<TaskRecord?>(null)
            : ReadAsync(
                session => SqliteJobStore.ReadTasks(scope is null
                    ? session.Get(TaskSql.Find).Bind(1, taskId)
                    : session.Get(TaskSql.FindInScope)
                        .Bind(1, taskId).Bind(2, Names(null, scope.Queues)).Bind(3, Names(null, scope.Kinds))).FirstOrDefault(),
                cancellationToken);

    public ValueTask<TaskPage> ListTasksAsync(TaskQuery query, CancellationToken cancellationToken)
        => ReadAsync(session => Tasks(session, query), cancellationToken);

    public ValueTask<JobPage> ListJobsAsync(JobQuery query, CancellationToken cancellationToken)
        => ReadAsync(session => SqliteJobStore.List(session, query, withArgs: false), cancellationToken);

    public ValueTask<IReadOnlyList<Job>> FindJobsAsync(IReadOnlyCollection<Guid> jobIds, CancellationToken cancellationToken)
        => ReadAsync<IReadOnlyList<Job>>(
            session => [.. jobIds.Distinct().Select(id => JobRow.ReadOne(session.Get(JobSql.FindWithoutArgs).Bind(1, id))?.ToJob())
                .OfType<Job>()],
            cancellationToken);

    public async ValueTask<IReadOnlyList<TaskRecord>> ListLastTasksAsync(LastTasksQuery query, CancellationToken cancellationToken)
    {
        var tasks = new List<TaskRecord>();
        foreach (var jobs in query.JobIds.Distinct().Chunk(LastTasksOfJobs))
        {
            tasks.AddRange(await ReadAsync(session => LastTasks(session, jobs, query.Limit), cancellationToken).ConfigureAwait(false));
        }

        return tasks;
    }

    // The store's readers are shared with the queue, so no more than a few of them may answer questions at the same time.
    internal async ValueTask<T> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await database.ReadAsync(work, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _free.Release();
        }
    }

    private QueueSnapshot Snapshot(SqliteSession session)
    {
        var now = database.Now();
        var nodes = LivingNodes(session, now);
        var (running, runningStopped) = Running(session);
        var queues = new List<QueueSummary>();
        foreach (var (id, name, pause) in WithPauses(session, MonitorSql.Queues))
        {
            var (due, later, oldest) = Waiting(session, id, now, MonitorLimits.Waiting);
            queues.Add(new QueueSummary
            {
                Name = name,
                Pause = pause,
                Due = Stopped(due, MonitorLimits.Waiting),
                Later = Stopped(later, MonitorLimits.Waiting),
                OldestDue = oldest,
                Running = new Count(running.GetValueOrDefault(id), runningStopped ? CountPrecision.AtLeast : CountPrecision.Exact),
                Nodes = nodes.Count(node => node.Queues.Any(served => served.Name == name)),
                Concurrency = nodes.SelectMany(static node => node.Queues).Where(served => served.Name == name).Sum(
                    static served => served.Concurrency),
            });
        }

        var statement = session.Get(MonitorSql.Ended).Bind(1, MonitorLimits.Unwell);
        statement.Step();
        var (failed, cancelled) = (statement.Int64(0), statement.Int64(1));
        statement.Reset();
        statement = session.Get(MonitorSql.Stored);
        statement.Step();
        var stored = statement.IsNull(1) ? 0 : statement.Int64(1) - statement.Int64(0) + 1;
        statement.Reset();
        return new QueueSnapshot
        {
            TakenAt = Micros.ToTime(now),
            Queues = queues,
            Failed = Stopped(failed, MonitorLimits.Unwell),
            Cancelled = Stopped(cancelled, MonitorLimits.Unwell),
            Stored = new Count(stored, CountPrecision.About),
            LastHour = Since(session, hourly: false, now - Micros.From(TimeSpan.FromHours(1)), now),
            LastDay = Since(session, hourly: true, now - Micros.From(TimeSpan.FromDays(1)), now),
        };
    }

    /// <summary>The due and the later entries of a queue, each counted up to a limit, and how long the oldest has been due.</summary>
    internal static (long Due, long Later, TimeSpan? Oldest) Waiting(SqliteSession session, long queue, long now, long limit)
    {
        long due = 0, later = 0;
        long? oldest = null;
        foreach (var group in WaitingGroups.Read(session, names: null, queue, kinds: null))
        {
            if (group.FirstDue <= now)
            {
                oldest = Math.Min(oldest ?? now, group.FirstDue);
                due += Count(session, WaitingSql.CountDue, queue, group, now, limit - due);
            }

            later += Count(session, MonitorSql.CountLater, queue, group, now, limit - later);
        }

        return (due, later, oldest is { } first ? Micros.ToSpan(Micros.Since(first, now)) : null);
    }

    private static long Count(SqliteSession session, string statement, long queue, WaitingGroup group, long now, long limit)
        => limit <= 0 ? 0
            : session.Get(statement).Bind(1, queue).Bind(2, group.Kind).Bind(3, group.Level).Bind(4, now).Bind(5, limit).Scalar() ?? 0;

    private static (Dictionary<long, long> Queues, bool Stopped) Running(SqliteSession session)
    {
        var (queues, isStopped) = (new Dictionary<long, long>(), false);
        var statement = session.Get(MonitorSql.Running).Bind(1, MonitorLimits.Running);
        while (statement.Step())
        {
            if (statement.NullableInt64(0) is { } queue)
            {
                queues.Add(queue, statement.Int64(1));
            }
            else
            {
                isStopped = statement.Int64(1) > MonitorLimits.Running;
            }
        }

        return (queues, isStopped);
    }

    private IReadOnlyList<KindSummary> Kinds(SqliteSession session)
    {
        var now = database.Now();
        var nodes = LivingNodes(session, now);
        var waiting = new Dictionary<long, (long Count, long? First)>();
        var left = (long)MonitorLimits.Waiting;
        foreach (var (queue, _, _) in WithPauses(session, MonitorSql.Queues))
        {
            foreach (var group in WaitingGroups.Read(session, names: null, queue, kinds: null))
            {
                // A group has at least one entry, also where counting has stopped.
                var count = Math.Max(Count(session, WaitingSql.CountDue, queue, group, long.MaxValue, left), 1);
                left -= count;
                var (before, first) = waiting.GetValueOrDefault(group.Kind);
                waiting[group.Kind] = (before + count, group.FirstDue <= now ? Math.Min(first ?? now, group.FirstDue) : first);
            }
        }

        return [.. WithPauses(session, MonitorSql.Kinds).Select(kind =>
        {
            var (count, first) = waiting.GetValueOrDefault(kind.Id);
            return new KindSummary
            {
                Name = kind.Name,
                Pause = kind.Pause,
                Waiting = new Count(count, count > 0 && left <= 0 ? CountPrecision.AtLeast : CountPrecision.Exact),
                OldestDue = first is { } due ? Micros.ToSpan(Micros.Since(due, now)) : null,
                Nodes = nodes.Count(node => node.Kinds.Contains(kind.Name, StringComparer.Ordinal)),
            };
        })];
    }

    private IReadOnlyList<NodeSummary> Nodes(SqliteSession session)
    {
        var now = database.Now();
        var nodes = new List<NodeSummary>();
        var statement = session.Get(MonitorSql.Nodes);
        while (statement.Step())
        {
            nodes.Add(ReadNode(statement, now));
        }

        return nodes;
    }

    private NodeSummary ReadNode(SqliteStatement row, long now)
    {
        var id = row.Guid(1);
        var info = StoredNodeInfo.Read(row.NullableText(13));
        var isDead = !row.IsNull(9);
        var left = row.Boolean(10);
        var age = isDead ? AgeOf(Micros.ToTime(row.Int64(7)), now) : HeartbeatAge(id, row.Int64(7), now);
        return new NodeSummary
        {
            Id = id,
            Name = row.Boolean(3) ? row.Text(2) : id.ToString(),
            State = left ? NodeState.Left : isDead ? NodeState.Dead : info.IsSilent(age) ? NodeState.Silent : NodeState.Alive,
            Machine = row.Text(4),
            ProcessId = row.Int32(5),
            LibraryVersion = info.LibraryVersion,
            ApplicationVersion = info.ApplicationVersion,
            StartedAt = Micros.ToTime(row.Int64(6)),
            HeartbeatAge = age,
            HoldsLock = row.Boolean(8),
            DeadAt = Micros.ToTime(row.NullableInt64(9)),
            Proof = !isDead ? null : left ? DeathProof.Left : row.IsNull(12) ? DeathProof.Unknown : (DeathProof)row.Int32(12),
            DeclaredBy = row.NullableText(11),
            Queues = info.Queues,
            Kinds = info.Kinds,
            Claims = row.Int32(15),
            Entries = row.Int32(16),

            // A living node's state is in its file.
            Vitals = StoredVitals.Read(isDead ? row.NullableText(17) : database.Heartbeats.TryReadVitals(id)),
        };
    }

    // A heartbeat is normally counted in the node's file, so the database has only the first one.
    private TimeSpan HeartbeatAge(Guid node, long firstAt, long now)
    {
        var stored = Micros.ToTime(firstAt);
        return AgeOf(database.Heartbeats.LastWrite(node) is { } inFile && inFile > stored ? inFile : stored, now);
    }

    private static TimeSpan AgeOf(DateTimeOffset heartbeat, long now)
        => Micros.ToTime(now) - heartbeat is var span && span > TimeSpan.Zero ? span : TimeSpan.Zero;

    private static List<TaskRecord> LastTasks(SqliteSession session, Guid[] jobs, int limit)
    {
        var tasks = new List<TaskRecord>();
        foreach (var job in jobs)
        {
            var statement = session.Get(MonitorSql.LastTasksOfJob).Bind(1, job).Bind(2, limit);
            while (statement.Step())
            {
                tasks.Add(SqliteJobStore.ReadTask(statement));
            }
        }

        return tasks;
    }

    private static TaskPage Tasks(SqliteSession session, TaskQuery query)
    {
        var statement = session.Get(query.JobId is null ? MonitorSql.Tasks : MonitorSql.TasksOfJob)
            .Bind(1, query.Before ?? Guid.AllBitsSet).Bind(2, query.MaxExamined + 1L);
        if (query.JobId is { } job)
        {
            statement.Bind(3, job);
        }

        var tasks = new List<TaskRecord>();
        var (examined, last) = (0, Guid.Empty);
        while (statement.Step())
        {
            // There is a further task: a page that is full, or has examined enough, ends before it.
            if (examined == query.MaxExamined || tasks.Count == query.Limit)
            {
                statement.Reset();
                return new TaskPage(tasks, last, IsComplete: false);
            }

            examined++;
            last = statement.Guid(0);
            if (query.State is not { } state || state == (TaskState)statement.Int32(3))
            {
                tasks.Add(SqliteJobStore.ReadTask(statement));
            }
        }

        return new TaskPage(tasks, null, IsComplete: true);
    }

    // A silent node claims nothing. If all processes were killed at once, no other node declares it dead.
    private List<StoredNodeInfo> LivingNodes(SqliteSession session, long now)
    {
        var nodes = new List<StoredNodeInfo>();
        var statement = session.Get(MonitorSql.LivingNodes);
        while (statement.Step())
        {
            var info = StoredNodeInfo.Read(statement.NullableText(0));
            if (!info.IsSilent(HeartbeatAge(statement.Guid(1), statement.Int64(2), now)))
            {
                nodes.Add(info);
            }
        }

        return nodes;
    }

    private static List<(long Id, string Name, PauseInfo? Pause)> WithPauses(SqliteSession session, string text)
    {
        var all = new List<(long, string, PauseInfo?)>();
        var statement = session.Get(text);
        while (statement.Step())
        {
            all.Add((statement.Int64(0), statement.Text(1), ReadPause(statement, 2)));
        }

        return all;
    }

    /// <summary>Reads a pause from five columns, of which the first says whether there is one.</summary>
    internal static PauseInfo? ReadPause(SqliteStatement row, int first) => !row.Boolean(first) ? null : new PauseInfo
    {
        Since = Micros.ToTime(row.NullableInt64(first + 1)),
        Actor = row.NullableText(first + 2),
        Reason = row.NullableText(first + 3),
        Until = Micros.ToTime(row.NullableInt64(first + 4)),
    };

    private static Count Stopped(long value, long limit) => value >= limit ? new Count(limit, CountPrecision.AtLeast) : new Count(value);
}
