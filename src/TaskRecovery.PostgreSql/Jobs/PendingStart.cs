using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>A start, from its request to its answer.</summary>
internal sealed class PendingStart(TaskStartRequest request, Job? job, TaskRecord? bound)
{
    private TaskStartVerdict? _verdict;

    public TaskStartRequest Request => request;

    public Job? Job => job;

    public required TaskStartFacts Facts { get; set; }

    /// <summary>The label of the node; <see langword="null"/> if it does not hold the claim.</summary>
    public required string? Label { get; init; }

    /// <summary>The number of the job's queue, if the queue has one.</summary>
    public required int? QueueNumber { get; init; }

    /// <summary>The number of the kind of the job's entries, if the kind has one.</summary>
    public required short? KindNumber { get; init; }

    /// <summary>How many tasks of the job waited for their first start when the facts were read.</summary>
    public required int QueuedTasks { get; init; }

    public bool IsPlanned => Facts.Job is { IsPlanned: true };

    /// <summary>The task that runs, as it is stored if nothing has changed in the meantime.</summary>
    public TaskRecord? Task { get; private set; }

    public TaskStartVerdict Verdict
    {
        get => _verdict!;
        set
        {
            _verdict = value;
            Task = value.Decision switch
            {
                TaskStartDecision.Started => NewTask(),
                TaskStartDecision.Recovered => ResumedTask(),
                TaskStartDecision.Wait when value.IsQueued => bound ?? NewTask(),
                _ => null,
            };
        }
    }

    /// <summary>Whether nothing was changed, because the task was unbound or an outcome was stored in the meantime.</summary>
    public bool IsRefused { get; set; }

    public bool ChangesAnything
        => Verdict is { EndsEntry: true } or { Next: not null } or { WaitsForResume: true }
            || (Task is not null && !(Verdict.IsQueued && bound is not null));

    public short Action => Verdict switch
    {
        { EndsEntry: true } => StartSql.End,
        { Decision: TaskStartDecision.Started } => StartSql.Insert,
        { Decision: TaskStartDecision.Recovered } => StartSql.Resume,
        { IsQueued: true } when bound is null => StartSql.Queue,
        _ => StartSql.OnlyPlan,
    };

    public TaskStart ToAnswer() => this switch
    {
        { IsRefused: true, Verdict.Decision: TaskStartDecision.Recovered }
            => new TaskStart(TaskStartDecision.Superseded, null, job, EndReasons.Superseded),
        { IsRefused: true } => new TaskStart(TaskStartDecision.ClaimLost, null, job, null),
        _ => new TaskStart(Verdict.Decision, Task, Planned(), Verdict.Reason, Verdict.WaitFor, Verdict.Next?.Dropped ?? 0),
    };

    private TaskRecord ResumedTask()
        => bound! with { State = TaskState.Running, Attempt = Request.Attempt, Node = Label, StartedAt = Facts.Now };

    private TaskRecord NewTask() => new()
    {
        Id = Guid.CreateVersion7(Facts.Now),
        JobId = Request.JobId,
        EntryId = Request.EntryId,
        State = Verdict.IsQueued ? TaskState.Created : TaskState.Running,
        DueAt = IsPlanned ? Facts.Job!.Timing.NextRunAt : Request.DueAt,
        IsCatchUp = Verdict.IsCatchUp,
        Attempt = Request.Attempt,
        Node = Verdict.IsQueued ? null : Label,
        CreatedAt = Facts.Now,
        StartedAt = Verdict.IsQueued ? null : Facts.Now,
    };

    private Job? Planned()
        => Verdict.Next is { } next ? job! with { State = next.StateOf(job.State), NextRunAt = next.Due } : job;
}
