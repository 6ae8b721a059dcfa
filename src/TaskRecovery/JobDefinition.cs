namespace TaskRecovery;

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
