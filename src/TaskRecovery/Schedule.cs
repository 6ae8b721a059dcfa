using System.Globalization;
using TaskRecovery.Rules;
using TaskRecovery.Schedules;

namespace TaskRecovery;

/// <summary>The schedule of a job: a fixed interval, a cron expression, or a single time.</summary>
public sealed record Schedule
{
    private Schedule(TimeSpan? interval, DateTimeOffset? at, string? expression, string? timeZone)
    {
        Interval = interval;
        At = at;
        Expression = expression;
        TimeZone = timeZone;
    }

    /// <summary>The time between runs; <see langword="null"/> if the schedule is not an interval.</summary>
    public TimeSpan? Interval { get; }

    /// <summary>The time of the single run; <see langword="null"/> if the schedule has more than one.</summary>
    public DateTimeOffset? At { get; }

    /// <summary>The cron expression; <see langword="null"/> if the schedule has none.</summary>
    public string? Expression { get; }

    /// <summary>The IANA id of the time zone of the cron expression, for example <c>Europe/Berlin</c>; <see langword="null"/> if the
    /// schedule has no cron expression.</summary>
    public string? TimeZone { get; }

    /// <summary>Runs the job repeatedly. Due times are multiples of the interval after the first one, so they do not drift with the
    /// duration of a run. The interval is elapsed time: changes of clocks do not matter.</summary>
    /// <param name="interval">The time between runs, one second to 36,500 days.</param>
    /// <exception cref="ArgumentOutOfRangeException">The interval is shorter than one second or longer than 36,500 days.</exception>
    public static Schedule Every(TimeSpan interval)
    {
        if (interval < TimeSpan.FromSeconds(1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(interval), interval, "A schedule's interval is at least one second; for shorter ones let one run loop.");
        }

        if (interval > EntryLimits.LongestDelay)
        {
            throw new ArgumentOutOfRangeException(
                nameof(interval), interval,
                $"A schedule's interval is at most {EntryLimits.LongestDelay.TotalDays:N0} days; for a single run use {nameof(Once)}.");
        }

        return new Schedule(interval, null, null, null);
    }

    /// <summary>Runs the job once.</summary>
    /// <param name="at">The time of the run, by the database's clock. A time in the past means now.</param>
    public static Schedule Once(DateTimeOffset at) => new(null, at, null, null);

    /// <summary>Runs the job at the times of a cron expression.</summary>
    /// <remarks>
    /// Fields may have lists (<c>1,15</c>), ranges, also around the end (<c>22-2</c>), steps (<c>*/5</c>), names (<c>MON</c>, <c>JAN</c>),
    /// and <c>H</c>: a value derived from the name of the job, which spreads jobs over the hour or the day. The day of the month may be
    /// <c>L</c>, <c>L-3</c>, <c>15W</c> or <c>LW</c>, the day of the week <c>5L</c> or <c>MON#2</c>. 0 and 7 are Sunday.
    /// What clocks skip runs once, at the end of the gap, unless the runs before and after the gap are an hour apart or less without it. A
    /// fixed time that comes twice runs once, the first time; steps, ranges and <c>*</c> in the second, minute or hour run both times.
    /// </remarks>
    /// <param name="expression">Five fields (minute, hour, day of month, month, day of week), six with the second first, or a macro such as
    /// <c>@hourly</c>.</param>
    /// <param name="timeZone">The IANA id of the time zone, for example <c>Europe/Berlin</c>.</param>
    /// <exception cref="ArgumentException">The expression is invalid. The message names the field, the character and the allowed
    /// values.</exception>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public static Schedule Cron(string expression, string timeZone = TimeZones.Utc)
    {
        CronText.Parse(expression, jobName: "");
        return new Schedule(null, null, CronText.Normalize(expression), TimeZones.Check(timeZone));
    }

    /// <summary>Returns the first due time after a time; <see langword="null"/> if there is none.</summary>
    /// <remarks>An interval has due times relative to the first one, so for it this is <paramref name="after"/> plus the
    /// interval.</remarks>
    /// <param name="after">The time after which the due time is.</param>
    /// <param name="jobName">The name of the job, from which <c>H</c> in a cron expression gets its value.</param>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone.</exception>
    public DateTimeOffset? NextAfter(DateTimeOffset after, string jobName = "")
        => Interval is { } interval ? after + interval
            : At is { } at ? at > after ? at : null
            : CronSchedule.Parse(Expression!, TimeZones.Get(TimeZone!), jobName).NextAfter(after);

    /// <inheritdoc/>
    public override string ToString() => this switch
    {
        { Interval: { } interval } => string.Create(CultureInfo.InvariantCulture, $"every {interval}"),
        { Expression: { } expression } => TimeZone == TimeZones.Utc ? $"cron {expression}" : $"cron {expression} in {TimeZone}",
        _ => string.Create(CultureInfo.InvariantCulture, $"once at {At:O}"),
    };

    /// <summary>Creates a schedule from stored values, which are not validated: this machine may not know the time zone, and a row that was
    /// edited by hand may have any interval. It is limited to those of <see cref="Every"/>.</summary>
    internal static Schedule FromStored(TimeSpan? interval, DateTimeOffset? at, string? expression, string? timeZone)
        => expression is not null ? new Schedule(null, null, expression, timeZone ?? TimeZones.Utc)
            : interval is { } span
            ? Every(TimeSpan.FromTicks(Math.Clamp(span.Ticks, TimeSpan.TicksPerSecond, EntryLimits.LongestDelay.Ticks)))
            : Once(at ?? DateTimeOffset.UnixEpoch);
}
