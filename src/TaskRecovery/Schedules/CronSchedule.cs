using Cronos;

namespace TaskRecovery.Schedules;

/// <summary>A cron expression in a time zone.</summary>
/// <remarks>
/// Daylight saving time follows Cronos. A run in the skipped hour runs once, at the end of the gap. If an hour occurs twice, a fixed time
/// runs once, at the first occurrence; an expression with <c>*</c>, a step or a range in its second, minute or hour runs at both.
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

    /// <summary>Parses an expression.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="zone">The time zone of the expression.</param>
    /// <param name="jobName">The job name, from whose hash <c>H</c> gets its value.</param>
    /// <exception cref="ArgumentException">The expression is invalid.</exception>
    public static CronSchedule Parse(string text, TimeZoneInfo zone, string jobName) => new(CronText.Parse(text, jobName), zone);

    /// <summary>Returns the first run after a time; <see langword="null"/> if there is none before the year 2500, the limit of
    /// Cronos.</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset after)
        => _expression.GetNextOccurrence(after.ToUniversalTime(), _zone)?.ToUniversalTime();

    /// <summary>Returns the last run at or before a time; <see langword="null"/> if there is none.</summary>
    public DateTimeOffset? LatestUpTo(DateTimeOffset until)
        => _expression.GetPreviousOccurrence(until.ToUniversalTime(), _zone, inclusive: true)?.ToUniversalTime();

    /// <summary>Returns whether the expression has a run at exactly this time.</summary>
    public bool Matches(DateTimeOffset at) => _expression.GetNextOccurrence(at.ToUniversalTime(), _zone, inclusive: true) == at;
}
