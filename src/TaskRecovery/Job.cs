using TaskRecovery.Queue;

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

    /// <summary>What happens to a due run while an earlier run is unfinished.</summary>
    public OverlapPolicy Overlap { get; init; }

    /// <summary>What happens to runs that were missed, for example while no node was running.</summary>
    public MissedRunPolicy MissedRuns { get; init; }

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

    /// <summary>The time at which the job was created, by the database's clock.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The time of the last change, by the database's clock.</summary>
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Describes the job. Omits the arguments, which don't belong in logs.</summary>
    public override string ToString() => $"Job {EntryText.Shown(Name)} ({Id}, {EntryText.Shown(Kind)}): {Schedule}, {State}";
}

/// <summary>The state of a job.</summary>
public enum JobState
{
    /// <summary>The job runs when it is due.</summary>
    Active = 0,

    /// <summary>The job does not run. It keeps its place on the schedule.</summary>
    Paused = 1,

    /// <summary>The single run of the job has started, so no further run is planned.</summary>
    Ended = 2,
}

/// <summary>What happens to a due run while an earlier run of the same job is unfinished.</summary>
public enum OverlapPolicy
{
    /// <summary>The run is skipped, and the next one is planned as usual.</summary>
    Skip = 0,

    /// <summary>The run starts and runs concurrently with the earlier one.</summary>
    Allow = 1,
}

/// <summary>What happens to runs that were missed, for example while no node was running.</summary>
public enum MissedRunPolicy
{
    /// <summary>The job runs once for all missed runs, and then continues on its schedule.</summary>
    RunOnce = 0,

    /// <summary>Missed runs are skipped, and the job runs at its next due time. A run counts as missed if it is late by more than one
    /// interval.</summary>
    Skip = 1,

    /// <summary>Every missed run is made up for, one after the other.</summary>
    RunAll = 2,
}

/// <summary>The definition from which a job is created or updated.</summary>
/// <param name="Name">The unique name. At most 200 bytes of UTF-8.</param>
/// <param name="Schedule">The schedule.</param>
public sealed record JobDefinition(string Name, Schedule Schedule)
{
    /// <inheritdoc cref="OverlapPolicy"/>
    /// <value>Default: <see cref="OverlapPolicy.Skip"/>.</value>
    public OverlapPolicy Overlap { get; init; }

    /// <inheritdoc cref="MissedRunPolicy"/>
    /// <value>Default: <see cref="MissedRunPolicy.RunOnce"/>.</value>
    public MissedRunPolicy MissedRuns { get; init; }

    /// <summary>The queue of the job's entries.</summary>
    /// <value>Default: <see langword="null"/>, which means <c>default</c>.</value>
    public string? Queue { get; init; }

    /// <summary>The priority of the job's entries, from 0 (most urgent) to 9 (least urgent).</summary>
    /// <value>Default: 5.</value>
    public int Priority { get; init; } = 5;

    /// <summary>The maximum number of attempts of a run.</summary>
    /// <value>Default: <see langword="null"/>, which means <see cref="WorkerOptions.MaxAttempts"/> of the handler, or 10. 1 to
    /// 1,000.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>The time limit of one attempt.</summary>
    /// <value>Default: <see langword="null"/>, which means <see cref="WorkerOptions.Timeout"/> of the handler, or no limit. At most 45
    /// days.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The time of an interval job's first run.</summary>
    /// <remarks>A change never postpones the run that is already planned, so an application may compute a new value at each start. An
    /// earlier time brings the planned run forward. A later time takes effect after the planned run. To postpone the planned run itself,
    /// pause or delete the job.</remarks>
    /// <value>Default: <see langword="null"/>, which means now.</value>
    public DateTimeOffset? StartAt { get; init; }
}
