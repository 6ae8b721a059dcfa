namespace TaskRecovery;

/// <summary>Everything that is known of one entry.</summary>
public sealed record EntryLife
{
    /// <summary>The entry with its arguments and result.</summary>
    public required QueueEntry Entry { get; init; }

    /// <summary>The time at which this was read, by the database's clock.</summary>
    public required DateTimeOffset ReadAt { get; init; }

    /// <summary>The runs that have ended, oldest first: the newest 500 of them. A cancellation while the entry waited is listed too,
    /// without a node.</summary>
    public required IReadOnlyList<EntryRun> Runs { get; init; }

    /// <summary>How many older runs there are that <see cref="Runs"/> does not have.</summary>
    public long OlderRuns { get; init; }

    /// <summary>The claim under which the entry runs; <see langword="null"/> if it does not run.</summary>
    public EntryClaim? Claim { get; init; }

    /// <summary>Whether the entry holds its unique key.</summary>
    public bool HoldsUniqueKey { get; init; }

    /// <summary>When cancellation was requested; <see langword="null"/> if no request is open.</summary>
    public DateTimeOffset? CancelRequestedAt { get; init; }

    /// <summary>The finished steps of the entry or its task, oldest first.</summary>
    public required IReadOnlyList<EntryStep> Steps { get; init; }

    /// <summary>The checkpoint of the entry or its task; <see langword="null"/> if there is none.</summary>
    public EntryCheckpoint? Checkpoint { get; init; }

    /// <summary>The task that the entry runs; <see langword="null"/> if it runs none.</summary>
    public TaskRecord? Task { get; init; }

    /// <summary>The name of the task's job; <see langword="null"/> if the entry runs no task or the job has been deleted.</summary>
    public string? JobName { get; init; }

    /// <summary>The W3C trace context of the enqueue call; <see langword="null"/> if there is none.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The progress that the handler reported last; <see langword="null"/> if it reported none.</summary>
    public ReportedProgress? Progress { get; init; }

    /// <summary>The events of this entry, oldest first: what operators did to it alone, and crash loops. What an operation on this single
    /// entry did is in <see cref="Operations"/>.</summary>
    public required IReadOnlyList<QueueEvent> Events { get; init; }

    /// <summary>What bulk operations did to this entry, oldest first: the newest 100.</summary>
    public IReadOnlyList<EntryOperation> Operations { get; init; } = [];

    /// <summary>What a crash would cost now: the time since the claim, or since the last step or checkpoint that this run has stored;
    /// <see langword="null"/> if the entry does not run.</summary>
    public TimeSpan? WorkAtRisk
    {
        get
        {
            if (Claim is not { } claim)
            {
                return null;
            }

            var last = claim.ClaimedAt;
            foreach (var step in Steps)
            {
                last = step.Fence == claim.Fence && step.StoredAt > last ? step.StoredAt : last;
            }

            if (Checkpoint is { } checkpoint && checkpoint.Fence == claim.Fence && checkpoint.StoredAt > last)
            {
                last = checkpoint.StoredAt;
            }

            return ReadAt > last ? ReadAt - last : TimeSpan.Zero;
        }
    }
}
