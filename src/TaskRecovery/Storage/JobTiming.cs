using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Schedules;

namespace TaskRecovery.Storage;

/// <summary>The values on which the plan of a job depends.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record JobTiming
{
    /// <summary>The name of the job, from which <c>H</c> in a cron expression gets its value.</summary>
    public required string Name { get; init; }

    /// <summary>The state of the job.</summary>
    public required JobState State { get; init; }

    /// <summary>The schedule.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>The time before which no run is due; for an interval, the time of the first run.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The time after which no run is due.</summary>
    public DateTimeOffset? EndAt { get; init; }

    /// <summary>The times at which no run is due although the schedule says so.</summary>
    public ScheduleExceptions? Except { get; init; }

    /// <summary>The due time of the planned run. If the job is paused, the due time of the run that would have been next.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>Whether a planned entry exists for <see cref="NextRunAt"/>.</summary>
    public bool IsPlanned { get; init; }

    /// <summary>The due times.</summary>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone of the schedule.</exception>
    internal RunTimes GetTimes() => new(Name, Schedule, StartAt, EndAt, Except);

    /// <summary>Returns whether the due times are the same as those of another definition of the job.</summary>
    internal bool HasTimesOf(JobTiming other) => HasTimesOf(other, otherStart: false);

    /// <summary>As <see cref="HasTimesOf(JobTiming)"/>.</summary>
    /// <param name="other">The other definition.</param>
    /// <param name="otherStart">Whether <see cref="StartAt"/> may differ.</param>
    internal bool HasTimesOf(JobTiming other, bool otherStart)
        => Schedule == other.Schedule && EndAt == other.EndAt && Except == other.Except && (otherStart || StartAt == other.StartAt);
}
