using Cronos;

namespace TaskRecovery.Schedules;

/// <summary>A cron expression in a time zone.</summary>
/// <remarks>
/// Daylight saving, as Cronos has it: times that the clocks skip run once, at the end of the gap. A fixed time that comes twice runs once, the
/// first time; an expression with <c>*</c>, a step or a range in its second, minute or hour runs both times.
/// </remarks>
internal sealed class CronSchedule
{
    private readonly CronExpression _expression;
    private readonly TimeZoneInfo _zone;

    private CronSchedule(CronExpression expression, TimeZoneInfo zone)
    {
        _expression = expression;
        _zone = zone;
    }

    /// <summary>Reads an expression.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="zone">Where its times are.</param>
    /// <param name="jobName">What <c>H</c> is a hash of.</param>
    /// <exception cref="ArgumentException">The text can't be read.</exception>
    public static CronSchedule Parse(string text, TimeZoneInfo zone, string jobName) => new(CronText.Parse(text, jobName), zone);

    /// <summary>The first run after a time; <see langword="null"/> if there is none before the year 2500, which is as far as Cronos looks.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset after) => _expression.GetNextOccurrence(after.ToUniversalTime(), _zone)?.ToUniversalTime();
}
