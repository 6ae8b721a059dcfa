using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What a store has read about the start of a run, while the row of its job is locked.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record TaskStartFacts
{
    /// <summary>The store's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Whether the node still holds the claim, without an outcome of this entry under it.</summary>
    public required bool HoldsClaim { get; init; }

    /// <summary>How the run ended under this claim of the node; <see langword="null"/> if no outcome is stored. Only needed if the claim is
    /// not held.</summary>
    public OutcomeKind? EndedAs { get; init; }

    /// <summary>The reason of that outcome.</summary>
    public string? EndReason { get; init; }

    /// <summary>The state of the task that is bound to the entry; <see langword="null"/> if there is none.</summary>
    public TaskState? Bound { get; init; }

    /// <summary>Whether the bound task waits for its first start.</summary>
    public bool IsQueued { get; init; }

    /// <summary>The time from which the start deadline of the bound task counts, if the task waits for its first start (see
    /// <see cref="QueuedDueAtOf"/>); <see langword="null"/> if it has no deadline, because it has no due time or an operator has put it
    /// back.</summary>
    public DateTimeOffset? QueuedDueAt { get; init; }

    /// <summary>The time from which <see cref="JobDefinition.CatchUpWithin"/> counts, if the bound task makes up for missed runs and waits
    /// for its first start (see <see cref="CatchUpFromOf"/>); <see langword="null"/> if it makes up for none, or an operator has put it
    /// back.</summary>
    public DateTimeOffset? CatchUpFrom { get; init; }

    /// <summary>Whether the entry names a task, which means that recovery created it for this task.</summary>
    public bool NamesTask { get; init; }

    /// <summary>The state of the named task; <see langword="null"/> if there is no such task.</summary>
    public TaskState? Named { get; init; }

    /// <summary>The job; <see langword="null"/> if it does not exist.</summary>
    public JobStartFacts? Job { get; init; }

    /// <summary>The time from which the start deadline of a bound task counts. A run that makes up for missed ones was in time when it
    /// began to wait, although its due time is that of the first of them.</summary>
    /// <param name="bound">The bound task.</param>
    /// <param name="isPutBack">Whether an operator has put it back. Such a run does not expire.</param>
    public static DateTimeOffset? QueuedDueAtOf(TaskRecord? bound, bool isPutBack) => bound switch
    {
        null or { StartedAt: not null } => null,
        _ when isPutBack => null,
        { IsCatchUp: true } => bound.CreatedAt,
        _ => bound.DueAt,
    };

    /// <summary>The time from which <see cref="JobDefinition.CatchUpWithin"/> counts for a bound task. The missed runs were judged when the
    /// task began to wait, so that only its wait counts.</summary>
    /// <param name="bound">The bound task.</param>
    /// <param name="isPutBack">Whether an operator has put it back. Such a run starts however late it is.</param>
    public static DateTimeOffset? CatchUpFromOf(TaskRecord? bound, bool isPutBack)
        => !isPutBack && bound is { StartedAt: null, IsCatchUp: true } ? bound.CreatedAt : null;
}
