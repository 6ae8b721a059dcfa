using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Starts runs: reads the facts, lets <see cref="TaskStartRules"/> judge them, and applies the verdict.</content>
internal sealed partial class SqliteJobStore
{
    public async Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        var (start, queue) = await database.WriteAsync(session => Start(session, request), cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return start;
    }

    private (TaskStart Start, string? Queue) Start(SqliteSession session, TaskStartRequest request)
    {
        var moves = NewMoves(session);
        var held = new HeldClaims(session, database.Claims, request.NodeId);
        var job = JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, request.JobId));
        var bound = ReadTasks(session.Get(TaskSql.FindByEntry).Bind(1, request.EntryId)).FirstOrDefault();
        var facts = ReadFacts(moves, held, request, job, bound);
        var verdict = TaskStartRules.Judge(facts);
        if (verdict.EndsEntry)
        {
            EndEntry(moves, held, request, verdict.Reason);
        }

        if (verdict.WaitsForResume)
        {
            PutBack(moves, held, request, verdict.WaitFor);
        }

        var due = facts.Job is { IsPlanned: true } ? job!.NextRunAt : Micros.From(request.DueAt);
        var task = verdict.Decision switch
        {
            TaskStartDecision.Started => Insert(moves, request, due, verdict),
            TaskStartDecision.Wait when verdict.IsQueued => bound ?? Insert(moves, request, due, verdict),
            TaskStartDecision.Recovered => Resume(moves, request, bound!),
            _ => null,
        };
        if (verdict.CancelsOthers)
        {
            CancelOthers(moves, request);
        }

        var planned = verdict.Next is { } next ? PlanNext(moves, job!, next) : job;
        return (
            new TaskStart(verdict.Decision, task, planned?.ToJob(), verdict.Reason, verdict.WaitFor, verdict.Next?.Dropped ?? 0),
            verdict.Next?.Due is null ? null : job!.Queue);
    }

    private static TaskStartFacts ReadFacts(EntryMoves moves, HeldClaims held, TaskStartRequest request, JobRow? job, TaskRecord? bound)
    {
        var session = moves.Session;
        var holdsClaim = held.Runs(request.EntryId, request.Fence);
        var isPutBack = bound is { StartedAt: null } && session.Get(OutcomeSql.WasPutBack).Bind(1, request.EntryId).Exists();
        var (endedAs, endReason) = holdsClaim ? (null, null) : FindOutcome(session, request.EntryId, request.Fence, request.NodeId);
        return new TaskStartFacts
        {
            Now = Micros.ToTime(moves.Now),
            HoldsClaim = holdsClaim,
            EndedAs = endedAs,
            EndReason = endReason,
            Bound = bound?.State,
            IsQueued = bound is { StartedAt: null },
            QueuedDueAt = TaskStartFacts.QueuedDueAtOf(bound, isPutBack),
            CatchUpFrom = TaskStartFacts.CatchUpFromOf(bound, isPutBack),
            NamesTask = request.TaskId is not null,
            Named = request.TaskId is { } named ? ReadTasks(session.Get(TaskSql.Find).Bind(1, named)).FirstOrDefault()?.State : null,
            Job = job is null ? null : ReadFacts(session, request, job, bound),
        };
    }

    private static JobStartFacts ReadFacts(SqliteSession session, TaskStartRequest request, JobRow job, TaskRecord? bound)
    {
        var isPlanned = job.PlannedEntry == request.EntryId;
        var isBackfill = request.DueAt is not null && !isPlanned && !request.WasPlanned;
        var due = isPlanned ? job.NextRunAt : Micros.From(request.DueAt);
        var hasUnfinished = session.Get(TaskSql.AnyUnfinished).Bind(1, job.Id).Exists();
        var overlap = request.Overlap ?? job.Overlap;
        var mayQueue = overlap is OverlapPolicy.QueueOne or OverlapPolicy.CancelPrevious;
        var mayWait = isBackfill || mayQueue
            || (overlap != OverlapPolicy.Allow && (job.MissedRuns == MissedRunPolicy.RunAll || bound is { StartedAt: null }));
        return new JobStartFacts
        {
            Timing = job.Timing,
            Missed = job.Missed,
            Overlap = overlap,
            HasKindOfEntry = string.Equals(job.EntryKind, request.EntryKind, StringComparison.Ordinal),
            IsPlanned = isPlanned,
            PausedUntil = job.Pause?.Until,
            DueAt = request.DueAt,
            WasPlanned = request.WasPlanned,
            BackfilledUpTo = !isBackfill || !hasUnfinished
                ? null : Micros.ToTime(session.Get(TaskSql.LatestDueBefore).Bind(1, job.Id).Bind(2, due).Scalar()),
            UnfinishedSince = !mayWait || !hasUnfinished
                ? null : Micros.ToTime(session.Get(TaskSql.UnfinishedSince).Bind(1, job.Id).Scalar()),
            HasTaskForDueTime = due is not null && session.Get(TaskSql.ExistsForDue).Bind(1, job.Id).Bind(2, due).Exists(),
            HasUnfinishedTask = hasUnfinished,
            HasUnfinishedTaskSinceDue = isPlanned && hasUnfinished && job.MissedRuns == MissedRunPolicy.RunAll
                && overlap != OverlapPolicy.Allow
                && session.Get(TaskSql.AnyUnfinishedSince).Bind(1, job.Id).Bind(2, due).Exists(),
            HasQueuedTask = mayQueue && bound is null && session.Get(TaskSql.AnyQueued).Bind(1, job.Id).Exists(),
            HasEarlierTask = overlap != OverlapPolicy.Allow && bound is { StartedAt: null }
                && session.Get(TaskSql.AnyEarlier).Bind(1, job.Id).Bind(2, Micros.From(bound.CreatedAt)).Bind(3, bound.Id).Exists(),
        };
    }

    private static (OutcomeKind? Kind, string? Reason) FindOutcome(SqliteSession session, long entry, long fence, Guid node)
    {
        var statement = session.Get(OutcomeSql.Find).Bind(1, entry).Bind(2, fence).Bind(3, node);
        var outcome = statement.Step() ? ((OutcomeKind?)statement.Int32(0), statement.NullableText(1)) : (null, null);
        statement.Reset();
        return outcome;
    }

    private static void EndEntry(EntryMoves moves, HeldClaims held, TaskStartRequest request, string? reason)
    {
        var (node, contents) = held.Find(request.Fence)!.Value;
        contents.TryGet(request.EntryId, out var attempt, out var crashes);
        moves.End(new Run(request.EntryId, request.Fence, node, attempt
            + 1, crashes, 0, MayHaveTask: false), OutcomeKind.Cancelled, [], null, reason);
    }

    private static void PutBack(EntryMoves moves, HeldClaims held, TaskStartRequest request, TimeSpan? wait)
    {
        var (node, contents) = held.Find(request.Fence)!.Value;
        contents.TryGet(request.EntryId, out var attempt, out var crashes);
        var runAt = moves.Now + (Micros.From(wait) ?? 0);
        var run = new Run(request.EntryId, request.Fence, node, attempt, crashes, 0, MayHaveTask: false);
        moves.PutBack(run, OutcomeKind.Snoozed, runAt, null, EndReasons.JobNotActive, out var cancelled);
        if (!cancelled)
        {
            moves.Session.Get(PausedRunSql.Add).Bind(1, request.JobId).Bind(2, request.EntryId).Bind(3, runAt).Execute();
        }
    }

    private static TaskRecord Insert(EntryMoves moves, TaskStartRequest request, long? due, TaskStartVerdict verdict)
    {
        var now = Micros.ToTime(moves.Now);
        var task = new TaskRecord
        {
            Id = Guid.CreateVersion7(now),
            JobId = request.JobId,
            EntryId = request.EntryId,
            State = verdict.IsQueued ? TaskState.Created : TaskState.Running,
            DueAt = Micros.ToTime(due),
            IsCatchUp = verdict.IsCatchUp,
            Attempt = request.Attempt,
            Node = verdict.IsQueued ? null : NodeLabel(moves.Session, request.NodeId),
            CreatedAt = now,
            StartedAt = verdict.IsQueued ? null : now,
        };
        moves.Session.Get(TaskSql.Insert).Bind(1, task.Id).Bind(2, task.JobId).Bind(
            3, task.EntryId).Bind(4, due).Bind(5, task.Attempt).Bind(6, task.Node).Bind(7, moves.Now)
            .Bind(8, (int)task.State).Bind(9, Micros.From(task.StartedAt)).Bind(10, task.IsCatchUp)
            .Execute();
        return task;
    }

    // Running tasks get a request; a waiting one ends at once.
    private static void CancelOthers(EntryMoves moves, TaskStartRequest request)
    {
        var unfinished = ReadTasks(moves.Session.Get(TaskSql.ListIncomplete).Bind(1, request.JobId));
        foreach (var entry in TaskStartRules.FindPrevious(unfinished, request.EntryId))
        {
            SqliteQueueStore.Cancel(moves, entry, EndReasons.Overlap);
        }
    }

    private static TaskRecord Resume(EntryMoves moves, TaskStartRequest request, TaskRecord bound)
    {
        var task = bound with
        {
            State = TaskState.Running,
            Attempt = request.Attempt,
            Node = NodeLabel(moves.Session, request.NodeId),
            StartedAt = Micros.ToTime(moves.Now),
        };
        moves.Session.Get(TaskSql.Resume).Bind(1, task.Id).Bind(2, task.Attempt).Bind(3, task.Node).Bind(4, moves.Now).Execute();
        return task;
    }

    private static JobRow PlanNext(EntryMoves moves, JobRow job, NextRun next)
    {
        var planned = job with
        {
            State = next.StateOf(job.State),
            NextRunAt = Micros.From(next.Due),
            PlannedEntry = next.Due is { } due ? AddPlanned(moves, job, Micros.From(due)) : null,
        };
        SetPlan(moves, job.Id, planned.State, planned.NextRunAt, planned.PlannedEntry);
        if (next.Dropped > 0)
        {
            EventWriter.Add(moves.Session, moves.Now, JobEvents.Dropped(job.Name, next.Dropped));
        }

        return planned;
    }

    private static string NodeLabel(SqliteSession session, Guid nodeId)
    {
        var statement = session.Get(NodeSql.Name).Bind(1, nodeId);
        statement.Step();
        var label = NodeRules.Label(statement.Text(0), statement.Boolean(1), nodeId);
        statement.Reset();
        return label;
    }
}
