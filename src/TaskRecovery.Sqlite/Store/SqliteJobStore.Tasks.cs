using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Tasks: their start, their records and their recovery.</content>
internal sealed partial class SqliteJobStore
{
    private const int RecoverBatch = 500;

    public async Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        var (start, queue) = await database.WriteAsync(session => Start(session, request), cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return start;
    }

    public async Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => await database.ReadAsync(session => ReadTasks(session.Get(TaskSql.Find).Bind(1, taskId)).FirstOrDefault(), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => await database.ReadAsync(session => ReadTasks(session.Get(TaskSql.List).Bind(1, jobId).Bind(2, (long?)state).Bind(3, limit)), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => await database.ReadAsync(session => ReadTasks(session.Get(TaskSql.ListIncomplete).Bind(1, jobId)), cancellationToken).ConfigureAwait(false);

    public async Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, CancellationToken cancellationToken)
    {
        var items = new List<RecoveryItem>();
        var queues = new HashSet<string>(StringComparer.Ordinal);

        // Search with a reader, which does not block other writes: usually there is nothing to recover.
        for (var more = await IsAnyAsync(TaskSql.Orphans, cancellationToken).ConfigureAwait(false); more;)
        {
            var batch = await database.WriteAsync(session => RecoverOrphans(NewMoves(session), maxAge, maxCrashes), cancellationToken).ConfigureAwait(false);
            more = batch.Count == RecoverBatch;
            items.AddRange(batch.Select(static row => row.Item));
            queues.UnionWith(batch.Select(static row => row.Queue).OfType<string>());
        }

        for (var more = await IsAnyAsync(TaskSql.WithEndedEntry, cancellationToken).ConfigureAwait(false); more;)
        {
            var batch = await database.WriteAsync(session => CloseEnded(session, database.Now()), cancellationToken).ConfigureAwait(false);
            more = batch.Count == RecoverBatch;
            items.AddRange(batch);
        }

        foreach (var queue in queues)
        {
            SendHint(queue);
        }

        return items.Count == 0 ? RecoveryReport.Empty : new RecoveryReport(items);
    }

    private ValueTask<bool> IsAnyAsync(string statement, CancellationToken cancellationToken)
        => database.ReadAsync(session => session.Get(statement).Exists(), cancellationToken);

    private (TaskStart Start, string? Queue) Start(SqliteSession session, TaskStartRequest request)
    {
        var held = new HeldClaims(session, database.Claims, request.NodeId);
        var job = JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, request.JobId));
        if (!held.Runs(request.EntryId, request.Fence))
        {
            return WhyEnded(session, request) is { Decision: not TaskStartDecision.ClaimLost } before
                ? (new TaskStart(before.Decision, null, job?.ToJob(), before.Reason), null)
                : (new TaskStart(TaskStartDecision.ClaimLost, null, null, null), null);
        }

        var node = NodeName(session, request.NodeId);
        var moves = NewMoves(session);
        var bound = ReadTasks(session.Get(TaskSql.FindByEntry).Bind(1, request.EntryId)).FirstOrDefault();
        var (decision, reason) = Judge(session, request, job, bound, moves.Now);
        var queue = job is not null && bound is null && job.PlannedEntry == request.EntryId ? PlanNext(moves, job, decision, reason) : null;
        if (decision == TaskStartDecision.Skip && bound is null && request.TaskId is null)
        {
            Skip(moves, held, request, reason);
        }

        TaskRecord? task = null;
        if (decision is TaskStartDecision.Started or TaskStartDecision.Recovered)
        {
            var id = bound?.Id ?? Guid.CreateVersion7(Micros.ToTime(moves.Now));
            var statement = bound is null
                ? session.Get(TaskSql.Insert).Bind(1, id).Bind(2, request.JobId).Bind(3, request.EntryId)
                    .Bind(4, job!.PlannedEntry == request.EntryId ? job.NextRunAt : null).Bind(5, request.Attempt).Bind(6, node).Bind(7, moves.Now)
                : session.Get(TaskSql.Resume).Bind(1, id).Bind(2, request.Attempt).Bind(3, node).Bind(4, moves.Now);
            statement.Execute();
            task = ReadTasks(session.Get(TaskSql.Find).Bind(1, id)).Single();
        }

        return (new TaskStart(decision, task, JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, request.JobId))?.ToJob(), reason), queue);
    }

    /// <summary>Decides whether a run starts. A task that is bound to this entry runs again, unless it has finished or its job is paused or
    /// deleted. The task of a one-time job runs again even if the job has ended.</summary>
    private static (TaskStartDecision Decision, string? Reason) Judge(SqliteSession session, TaskStartRequest request, JobRow? job, TaskRecord? bound, long now)
    {
        if (bound is { State: > TaskState.Running })
        {
            return (TaskStartDecision.Skip, EndReasons.TaskFinished);
        }

        if (bound is null && request.TaskId is { } named)
        {
            return ReadTasks(session.Get(TaskSql.Find).Bind(1, named)).FirstOrDefault() switch
            {
                null => (TaskStartDecision.Skip, EndReasons.TaskNotFound),
                { State: > TaskState.Running } => (TaskStartDecision.Skip, EndReasons.TaskFinished),
                _ => (TaskStartDecision.Superseded, EndReasons.Superseded),
            };
        }

        if (job is null)
        {
            return (TaskStartDecision.Skip, EndReasons.JobDeleted);
        }

        if (job.EntryKind != request.EntryKind)
        {
            // The handler of this entry kind does not know the job's arguments. A task that has already started ends together with the
            // entry.
            return (bound is null ? TaskStartDecision.Superseded : TaskStartDecision.Skip, EndReasons.Superseded);
        }

        if (job.State == JobState.Paused || (bound is null && job.State != JobState.Active))
        {
            return (TaskStartDecision.Skip, EndReasons.JobNotActive);
        }

        return bound is null ? JudgeNew(session, request, job, now) : (TaskStartDecision.Recovered, null);
    }

    private static (TaskStartDecision Decision, string? Reason) JudgeNew(SqliteSession session, TaskStartRequest request, JobRow job, long now)
    {
        var isPlanned = job.PlannedEntry == request.EntryId;
        var isMissed = isPlanned && job is { Every: { } every, NextRunAt: { } due } && now - due > every;
        if (isMissed && job.MissedRuns == MissedRunPolicy.Skip)
        {
            return (TaskStartDecision.Skip, EndReasons.Missed);
        }

        if (isPlanned && session.Get(TaskSql.ExistsForDue).Bind(1, job.Id).Bind(2, job.NextRunAt).Exists())
        {
            return (TaskStartDecision.Skip, EndReasons.TaskFinished);
        }

        if (job.Overlap == OverlapPolicy.Skip && session.Get(TaskSql.AnyUnfinished).Bind(1, job.Id).Exists())
        {
            return isMissed && job.MissedRuns == MissedRunPolicy.RunAll ? (TaskStartDecision.Wait, null) : (TaskStartDecision.Skip, EndReasons.Overlap);
        }

        return (TaskStartDecision.Started, null);
    }

    // A new run that does not start is skipped permanently. Its outcome is stored here, so after a lost answer or a crash it is not judged
    // again against a plan that has changed since.
    private static void Skip(EntryMoves moves, HeldClaims held, TaskStartRequest request, string? reason)
    {
        var (node, contents) = held.Find(request.Fence)!.Value;
        contents.TryGet(request.EntryId, out var attempt, out var crashes);
        moves.End(new Run(request.EntryId, request.Fence, node, attempt + 1, crashes, 0, MayHaveTask: false), OutcomeKind.Cancelled, [], null, reason);
    }

    /// <summary>Returns the decision of an earlier start under this fence if it skipped the run, or the reason if a change of the job has
    /// ended the planned run meanwhile.</summary>
    private static (TaskStartDecision Decision, string? Reason) WhyEnded(SqliteSession session, TaskStartRequest request)
    {
        var statement = session.Get(OutcomeSql.Find).Bind(1, request.EntryId).Bind(2, request.Fence).Bind(3, request.NodeId);
        var (kind, reason) = statement.Step() ? ((OutcomeKind)statement.Int32(0), statement.NullableText(1)) : (OutcomeKind.Lost, null);
        statement.Reset();
        return (kind, reason) switch
        {
            (OutcomeKind.Superseded, EndReasons.Superseded) => (TaskStartDecision.Superseded, reason),
            (OutcomeKind.Cancelled, EndReasons.JobDeleted or EndReasons.JobNotActive or EndReasons.Missed or EndReasons.TaskFinished or EndReasons.Overlap)
                => (TaskStartDecision.Skip, reason),
            _ => (TaskStartDecision.ClaimLost, null),
        };
    }

    // Only the start of the planned entry plans the next run. That run is on the same grid as this entry's due time, or on a new grid if a
    // later StartAt begins one.
    private static string? PlanNext(EntryMoves moves, JobRow job, TaskStartDecision decision, string? reason)
    {
        if (decision != TaskStartDecision.Started && reason is not (EndReasons.Missed or EndReasons.Overlap or EndReasons.TaskFinished))
        {
            return null;
        }

        if (job.Every is not { } every)
        {
            SetPlan(moves, job.Id, JobState.Ended, null, null);
            return null;
        }

        var plan = DueTimes.Plan(job.MissedRuns, Micros.ToTime(job.NextRunAt ?? moves.Now), Micros.ToSpan(every), Micros.ToTime(moves.Now), Micros.ToTime(job.StartAt));
        Plan(moves, job, Micros.From(plan.Next));
        return job.Queue;
    }

    private static List<(RecoveryItem Item, string? Queue)> RecoverOrphans(EntryMoves moves, TimeSpan maxAge, int maxCrashes)
    {
        var items = new List<(RecoveryItem, string?)>();
        foreach (var task in ReadTasks(moves.Session.Get(TaskSql.Orphans)))
        {
            var job = JobRow.ReadOne(moves.Session.Get(JobSql.Find).Bind(1, task.JobId));
            var reason = job is null ? EndReasons.JobDeleted
                : Micros.From(task.CreatedAt) < moves.Now - Micros.From(maxAge) ? EndReasons.TooOld
                : job.State == JobState.Paused ? EndReasons.JobNotActive
                : task.Crashes > maxCrashes ? EndReasons.CrashLoop
                : null;
            var item = new RecoveryItem { Action = RecoveryAction.Recovered, TaskId = task.Id, Kind = job?.EntryKind, Node = task.Node, Crashes = task.Crashes };
            if (reason is null)
            {
                items.Add((item with { EntryId = GiveEntry(moves, job!, task, maxCrashes) }, job!.Queue));
                continue;
            }

            moves.Session.Get(TaskSql.End)
                .Bind(1, task.Id).Bind(2, (int)(reason == EndReasons.CrashLoop ? TaskState.Failed : TaskState.Cancelled)).Bind(3, task.Attempt).Bind(4, task.Crashes)
                .BindNull(5).BindNull(6).Bind(7, reason).Bind(8, moves.Now).Execute();
            items.Add((item with { Action = RecoveryAction.Closed, Reason = reason }, null));
        }

        return items;
    }

    // The new entry keeps the task's crashes and attempts and goes to the front of the queue. Steps and checkpoint belong to the task.
    private static long GiveEntry(EntryMoves moves, JobRow job, TaskRecord task, int maxCrashes)
    {
        var entry = AddEntry(moves, job, null, task.Id);
        var attempt = task.State == TaskState.Running ? Math.Max(task.Attempt - 1, 0) : task.Attempt;
        var level = task.Crashes == 0 && maxCrashes == 1 ? job.Priority : -Math.Clamp(task.Crashes, 1, 10);
        moves.Session.Get(WaitingSql.SetCounts).Bind(1, entry).Bind(2, level).Bind(3, attempt).Bind(4, task.Crashes).Execute();
        moves.Session.Get(TaskSql.Rebind).Bind(1, task.Id).Bind(2, entry).Bind(3, attempt).Execute();
        return entry;
    }

    private static List<RecoveryItem> CloseEnded(SqliteSession session, long now)
    {
        var items = new List<RecoveryItem>();
        var statement = session.Get(TaskSql.WithEndedEntry);
        var ends = new List<Action>();
        while (statement.Step())
        {
            var (task, state, attempt, crashes) = (statement.Guid(0), TaskMoves.StateOf((OutcomeKind)statement.Int32(4)), statement.Int32(5), statement.Int32(6));
            var (result, error, reason) = (statement.NullableText(7), statement.NullableText(8), statement.NullableText(9));
            items.Add(new RecoveryItem
            {
                Action = RecoveryAction.Closed,
                TaskId = task,
                EntryId = statement.Int64(1),
                Kind = statement.Text(2),
                Node = statement.NullableText(3),
                Crashes = crashes,
                Reason = reason,
            });
            ends.Add(() => session.Get(TaskSql.End)
                .Bind(1, task).Bind(2, (int)state).Bind(3, attempt).Bind(4, crashes).Bind(5, result).Bind(6, error).Bind(7, reason).Bind(8, now).Execute());
        }

        ends.ForEach(static end => end());
        return items;
    }

    private static string NodeName(SqliteSession session, Guid nodeId)
    {
        var statement = session.Get(NodeSql.Name).Bind(1, nodeId);
        statement.Step();
        var name = statement.Boolean(1) ? statement.Text(0) : nodeId.ToString();
        statement.Reset();
        return name;
    }

    private static List<TaskRecord> ReadTasks(SqliteStatement statement)
    {
        var tasks = new List<TaskRecord>();
        while (statement.Step())
        {
            tasks.Add(new TaskRecord
            {
                Id = statement.Guid(0),
                JobId = statement.Guid(1),
                EntryId = statement.NullableInt64(2),
                State = (TaskState)statement.Int32(3),
                DueAt = Micros.ToTime(statement.NullableInt64(4)),
                Attempt = statement.Int32(5),
                Crashes = statement.Int32(6),
                Result = statement.NullableText(7),
                Error = statement.NullableText(8),
                Reason = statement.NullableText(9),
                Node = statement.NullableText(10),
                CreatedAt = Micros.ToTime(statement.Int64(11)),
                StartedAt = Micros.ToTime(statement.NullableInt64(12)),
                EndedAt = Micros.ToTime(statement.NullableInt64(13)),
            });
        }

        return tasks;
    }
}
