using TaskRecovery.Jobs;

namespace TaskRecovery;

/// <summary>The definition from which a job is created or updated.</summary>
/// <param name="Name">The unique name. At most 200 bytes of UTF-8.</param>
/// <param name="Schedule">The schedule.</param>
public sealed record JobDefinition(string Name, Schedule Schedule)
{
    internal const int DefaultCatchUpLimit = 100;

    /// <inheritdoc cref="OverlapPolicy"/>
    /// <value>Default: <see cref="OverlapPolicy.Skip"/>.</value>
    public OverlapPolicy Overlap { get; init; }

    /// <inheritdoc cref="MissedRunPolicy"/>
    /// <value>Default: <see cref="MissedRunPolicy.RunOnce"/>.</value>
    public MissedRunPolicy MissedRuns { get; init; }

    /// <summary>How long after its due time a missed run is made up for. Later, it is skipped, and so is a missed run that has waited for
    /// an earlier one for longer than this.</summary>
    /// <remarks>For <see cref="MissedRunPolicy.RunOnce"/>, the latest of the missed due times counts. The due time that the handler gets is
    /// the first of them, and may be longer ago.</remarks>
    /// <value>Default: <see langword="null"/>, which means no limit. At most 36,500 days.</value>
    public TimeSpan? CatchUpWithin { get; init; }

    /// <summary>How many missed runs <see cref="MissedRunPolicy.RunAll"/> makes up for at most. Older ones are skipped;
    /// <see cref="IJobService.BackfillAsync"/> runs them on request.</summary>
    /// <value>Default: 100. 1 to 10,000.</value>
    public int CatchUpLimit { get; init; } = DefaultCatchUpLimit;

    /// <summary>How long after its due time a run may start. A run that would start later is skipped, with the reason
    /// <see cref="EndReasons.Expired"/>. A run that has started is retried and recovered as usual.</summary>
    /// <value>Default: <see langword="null"/>, which means no limit. At most 36,500 days.</value>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>The queue of the job's entries.</summary>
    /// <value>Default: <see langword="null"/>, which means <c>default</c>.</value>
    public string? Queue { get; init; }

    /// <summary>The priority of the job's entries, from 0 (most urgent) to 9 (least urgent).</summary>
    /// <value>Default: 5.</value>
    public int Priority { get; init; } = 5;

    /// <summary>The maximum number of attempts of a run.</summary>
    /// <value>Default: <see langword="null"/>, which means <see cref="WorkerOptions.MaxAttempts"/> of the handler, or 10. A process
    /// without the handler leaves the number of a stored job as it is. 1 to 1,000.</value>
    public int? MaxAttempts { get; init; }

    /// <summary>The time limit of one attempt.</summary>
    /// <value>Default: <see langword="null"/>, which means <see cref="WorkerOptions.Timeout"/> of the handler, or no limit. At most 45
    /// days.</value>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The time of an interval job's first run, or the time from which on a cron job runs.</summary>
    /// <remarks>A change never postpones the run that is already planned, so an application may compute a new value at each start. Each
    /// new value is then a change of the declaration, which replaces what was changed at run time. An earlier time brings the planned run
    /// forward. A later time takes effect after the planned run. To postpone the planned run itself, pause or delete the job. If a time
    /// that is yet to come is removed, the job begins at once, or with the next due time of its cron expression.</remarks>
    /// <value>Default: <see langword="null"/>, which means now.</value>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The time after which no run is due. When it has passed, the job ends.</summary>
    /// <value>Default: <see langword="null"/>, which means that the job does not end.</value>
    public DateTimeOffset? EndAt { get; init; }

    /// <summary>The times at which the job does not run although its schedule says so, for example holidays.</summary>
    /// <value>Default: <see langword="null"/> (none).</value>
    public ScheduleExceptions? Except { get; init; }

    /// <summary>Returns the due times that follow from this definition, without storing it: a preview.</summary>
    /// <remarks>The due times of an interval are relative to <see cref="StartAt"/>, or else to <paramref name="after"/>.</remarks>
    /// <param name="after">The time after which the due times are.</param>
    /// <param name="count">How many due times to return, 1 to 1,000.</param>
    /// <exception cref="ArgumentException">The definition is invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not 1 to 1,000.</exception>
    public IReadOnlyList<DateTimeOffset> GetRunsAfter(DateTimeOffset after, int count = 10)
    {
        JobRules.Check(this);
        return JobRules.TimesOf(this).Preview(after, StartAt ?? after, count);
    }
}
