using System.Globalization;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery;

/// <summary>The schedule of a job: a fixed interval, or a single time.</summary>
public sealed record Schedule
{
    private Schedule(TimeSpan? interval, DateTimeOffset? at)
    {
        Interval = interval;
        At = at;
    }

    /// <summary>The time between runs; <see langword="null"/> for a single run.</summary>
    public TimeSpan? Interval { get; }

    /// <summary>The time of the single run; <see langword="null"/> for an interval.</summary>
    public DateTimeOffset? At { get; }

    /// <summary>Runs the job repeatedly. Due times are multiples of the interval after the first one, so they do not drift with the
    /// duration of a run.</summary>
    /// <param name="interval">The time between runs, one second to 36,500 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The interval is shorter than one second or longer than 36,500 days.</exception>
    public static Schedule Every(TimeSpan interval)
    {
        if (interval < TimeSpan.FromSeconds(1))
        {
            throw new ArgumentOutOfRangeException(nameof(interval), interval, "A schedule's interval is at least one second; for shorter ones let one run loop.");
        }

        if (interval > EntryLimits.LongestDelay)
        {
            throw new ArgumentOutOfRangeException(nameof(interval), interval, $"A schedule's interval is at most {EntryLimits.LongestDelay.TotalDays:N0} days; for a single run use {nameof(Once)}.");
        }

        return new Schedule(interval, null);
    }

    /// <summary>Runs the job once.</summary>
    /// <param name="at">The time of the run, by the database's clock. A time in the past means now.</param>
    public static Schedule Once(DateTimeOffset at) => new(null, at);

    /// <inheritdoc/>
    public override string ToString() => Interval is { } interval
        ? string.Create(CultureInfo.InvariantCulture, $"every {interval}")
        : string.Create(CultureInfo.InvariantCulture, $"once at {At:O}");
}
