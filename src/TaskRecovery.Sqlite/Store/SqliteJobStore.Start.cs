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

        var task = verdict.Decision switch
        {
            TaskStartDecision.Started => Insert(moves, request, facts.Job!.IsPlanned ? job!.NextRunAt : null),
            TaskStartDecision.Recovered => Resume(moves, request, bound!),
            _ => null,
        };
        var planned = verdict.Next is { } next ? PlanNext(moves, job!, next) : job;
        return (new TaskStart(verdict.Decision, task, planned?.ToJob(), verdict.Reason), verdict.Next?.Due is null ? null : job!.Queue);
    }

    private static TaskStartFacts ReadFacts(EntryMoves moves, HeldClaims held, TaskStartRequest request, JobRow? job, TaskRecord? bound)
    {
        var session = moves.Session;
        var holdsClaim = held.Runs(request.EntryId, request.Fence);
        var (endedAs, endReason) = holdsClaim ? (null, null) : FindOutcome(session, request.EntryId, request.Fence, request.NodeId);
        return new TaskStartFacts
        {
            Now = Micros.ToTime(moves.Now),
            HoldsClaim = holdsClaim,
            EndedAs = endedAs,
            EndReason = endReason,
            Bound = bound?.State,
            NamesTask = request.TaskId is not null,
            Named = request.TaskId is { } named ? ReadTasks(session.Get(TaskSql.Find).Bind(1, named)).FirstOrDefault()?.State : null,
            Job = job is null ? null : ReadFacts(session, request, job),
        };
    }

    private static JobStartFacts ReadFacts(SqliteSession session, TaskStartRequest request, JobRow job)
    {
        var isPlanned = job.PlannedEntry == request.EntryId;
        return new JobStartFacts
        {
            Timing = job.Timing,
            MissedRuns = job.MissedRuns,
            Overlap = job.Overlap,
            HasKindOfEntry = string.Equals(job.EntryKind, request.EntryKind, StringComparison.Ordinal),
            IsPlanned = isPlanned,
            HasTaskForDueTime = isPlanned && session.Get(TaskSql.ExistsForDue).Bind(1, job.Id).Bind(2, job.NextRunAt).Exists(),
            HasUnfinishedTask = session.Get(TaskSql.AnyUnfinished).Bind(1, job.Id).Exists(),
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
        moves.End(new Run(request.EntryId, request.Fence, node, attempt + 1, crashes, 0, MayHaveTask: false), OutcomeKind.Cancelled, [], null, reason);
    }

    private static TaskRecord Insert(EntryMoves moves, TaskStartRequest request, long? due)
    {
        var now = Micros.ToTime(moves.Now);
        var task = new TaskRecord
        {
            Id = Guid.CreateVersion7(now),
            JobId = request.JobId,
            EntryId = request.EntryId,
            State = TaskState.Running,
            DueAt = Micros.ToTime(due),
            Attempt = request.Attempt,
            Node = NodeLabel(moves.Session, request.NodeId),
            CreatedAt = now,
            StartedAt = now,
        };
        moves.Session.Get(TaskSql.Insert).Bind(1, task.Id).Bind(2, task.JobId).Bind(3, task.EntryId).Bind(4, due).Bind(5, task.Attempt).Bind(6, task.Node).Bind(7, moves.Now)
            .Execute();
        return task;
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
            State = next.Due is null ? JobState.Ended : job.State,
            NextRunAt = Micros.From(next.Due),
            PlannedEntry = next.Due is { } due ? AddEntry(moves, job, Micros.From(due), null) : null,
        };
        SetPlan(moves, job.Id, planned.State, planned.NextRunAt, planned.PlannedEntry);
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
