using TaskRecovery.Rules;

namespace TaskRecovery;

/// <summary>A job: what to run, and on which schedule. Each run of a job is a task.</summary>
public sealed record Job
{
    /// <summary>The id of the job, a version 7 UUID.</summary>
    public required Guid Id { get; init; }

    /// <summary>The unique name.</summary>
    public required string Name { get; init; }

    /// <summary>The kind, which selects the task handler.</summary>
    public required string Kind { get; init; }

    /// <summary>The arguments of every run, as JSON.</summary>
    public required string Args { get; init; }

    /// <summary>The schedule.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>The state: active, paused or ended.</summary>
    public required JobState State { get; init; }

    /// <summary>Who paused the job, when, why, and until when; <see langword="null"/> if it is not paused.</summary>
    public PauseInfo? Pause { get; init; }

    /// <summary>The time before which no run is due; <see langword="null"/> if there is none.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The time after which no run is due; <see langword="null"/> if there is none.</summary>
    public DateTimeOffset? EndAt { get; init; }

    /// <summary>The times at which the job does not run although its schedule says so; <see langword="null"/> if there are none.</summary>
    public ScheduleExceptions? Except { get; init; }

    /// <summary>What happens to a due run while an earlier run is unfinished.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>What happens to runs that were missed, for example while no node was running.</summary>
    public MissedRunPolicy MissedRuns { get; init; }

    /// <summary>How long after its due time a missed run is made up for; <see langword="null"/> for no limit.</summary>
    public TimeSpan? CatchUpWithin { get; init; }

    /// <summary>How many missed runs <see cref="MissedRunPolicy.RunAll"/> makes up for at most.</summary>
    public int CatchUpLimit { get; init; } = JobDefinition.DefaultCatchUpLimit;

    /// <summary>How long after its due time a run may start; <see langword="null"/> for no limit.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>The queue of the job's entries.</summary>
    public required string Queue { get; init; }

    /// <summary>The priority of the job's entries, from 0 (most urgent) to 9.</summary>
    public int Priority { get; init; }

    /// <summary>The maximum number of attempts of a run.</summary>
    public int MaxAttempts { get; init; }

    /// <summary>The time limit of one attempt; <see langword="null"/> for the handler's own limit, if it has one.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The due time of the next run; <see langword="null"/> if no run is planned.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>The application that declares the job in its code (see <c>AddIntervalJob</c>); <see langword="null"/> if the job was only
    /// created with <see cref="IJobService.CreateOrUpdateAsync{TArgs}"/>.</summary>
    public string? DeclaredBy { get; init; }

    /// <summary>The time since which the application that declared the job in its code no longer declares it; <see langword="null"/> if it
    /// does, or if no application declared it.</summary>
    public DateTimeOffset? OrphanedAt { get; init; }

    /// <summary>The time at which the job was created, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The time of the last change, by the database's clock.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Describes the job. Omits the arguments, which don't belong in logs.</summary>
    public override string ToString() => $"Job {EntryText.Shown(Name)} ({Id}, {EntryText.Shown(Kind)}): {Schedule}, {State}";
}
