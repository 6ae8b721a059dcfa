namespace TaskRecovery;

/// <summary>A task: the stored record of one run of a job.</summary>
public sealed record TaskRecord
{
    /// <summary>The id of the task, a version 7 UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The id of the job.</summary>
    public required Guid JobId { get; init; }

    /// <summary>The id of the entry that runs the task; <see langword="null"/> only for a task that recovery has not processed
    /// yet.</summary>
    public long? EntryId { get; init; }

    /// <summary>The state.</summary>
    public required TaskState State { get; init; }

    /// <summary>The due time for which the task was created; <see langword="null"/> if the run was triggered by
    /// <see cref="IJobService.TriggerNowAsync"/>.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Whether the task made up for a missed run, or was requested with <see cref="IJobService.BackfillAsync"/>.</summary>
    public bool IsCatchUp { get; init; }

    /// <summary>The number of attempts made, including the running one.</summary>
    public int Attempt { get; init; }

    /// <summary>The number of nodes that died while they held its entry, since it last made progress.</summary>
    public int Crashes { get; init; }

    /// <summary>The result as JSON; <see langword="null"/> if there is none or it was not read.</summary>
    public string? Result { get; init; }

    /// <summary>The most recent error; <see langword="null"/> if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>A stable code for why the task ended other than successfully (see <see cref="EndReasons"/>); otherwise
    /// <see langword="null"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>The node that runs the task or last ran it.</summary>
    public string? Node { get; init; }

    /// <summary>The time at which the task was created, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The time at which the handler of the latest attempt started, which is later than the claim of its entry;
    /// <see langword="null"/> if none has started.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>The time at which the task ended; <see langword="null"/> if it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Describes the task. Omits the result and the error, which don't belong in logs.</summary>
    public override string ToString() => $"Task {Id} of job {JobId} (entry {EntryId}): {State}, attempt {Attempt}";
}
