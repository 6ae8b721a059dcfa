using System.Globalization;

namespace TaskRecovery.Schedules;

/// <summary>The times that <see cref="ScheduleExceptions"/> exclude, as a pure function.</summary>
internal sealed class ExcludedTimes
{
    private readonly TimeZoneInfo _zone;
    private readonly LocalClock _clock;
    private readonly HashSet<DateOnly>? _dates;
    private readonly CronSchedule? _cron;
    private readonly TimeSpan _unit;

    public ExcludedTimes(ScheduleExceptions exceptions, TimeZoneInfo zone, string jobName)
    {
        (_zone, _clock) = (zone, new LocalClock(zone));
        if (exceptions.IsDates)
        {
            _dates = [.. exceptions.Text.Split(',').Select(ReadDate)];
            _unit = TimeSpan.FromDays(1);
            return;
        }

        _cron = CronSchedule.Parse(exceptions.Text, zone, jobName);
        _unit = CronText.UnitOf(exceptions.Text);
    }

    // The stored text may have been edited by hand.
    private static DateOnly ReadDate(string text)
        => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? date
            : throw new ArgumentException(
                $"'{text}' in the exceptions of a schedule is not a date. Use dates such as 2026-12-25, or a cron expression.",
                nameof(text));

    /// <summary>Returns whether a time is excluded.</summary>
    public bool Contains(DateTimeOffset at)
        => _dates is not null ? _dates.Contains(DateOf(at))
            : _cron!.Matches(Start(at, _unit < TimeSpan.FromMinutes(1) ? _unit : TimeSpan.FromMinutes(1)));

    /// <summary>Returns a time up to which all that follows an excluded time is excluded as well.</summary>
    public DateTimeOffset EndOf(DateTimeOffset at)
        => _unit == TimeSpan.FromDays(1) ? Midnight(DateOf(at).AddDays(1)) : Start(at, _unit) + _unit;

    /// <summary>Returns the last time before an excluded time that may not be excluded.</summary>
    public DateTimeOffset Before(DateTimeOffset at)
        => (_unit == TimeSpan.FromDays(1) ? Midnight(DateOf(at)) : Start(at, _unit)).AddTicks(-1);

    private DateOnly DateOf(DateTimeOffset at) => DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(at, _zone).DateTime);

    private static DateTimeOffset Start(DateTimeOffset at, TimeSpan unit) => new(at.UtcTicks - (at.UtcTicks % unit.Ticks), TimeSpan.Zero);

    // If clocks skip midnight, the day begins at the end of the gap; if midnight comes twice, at the first of them.
    private DateTimeOffset Midnight(DateOnly date) => _clock.FirstInstantOf(date.ToDateTime(TimeOnly.MinValue));
}
