using System.Globalization;
using TaskRecovery.Schedules;

namespace TaskRecovery;

/// <summary>The times at which a job does not run although its schedule says so, for example holidays: a list of dates, or a second cron
/// expression. Both are read in the time zone of the job's schedule; for an interval that is UTC.</summary>
public sealed record ScheduleExceptions
{
    private const int MostDates = 1_000;

    private ScheduleExceptions(string text) => Text = text;

    /// <summary>The dates, separated by commas, or the cron expression.</summary>
    public string Text { get; }

    /// <summary>Whether the exceptions are dates.</summary>
    internal bool IsDates => !Text.Contains(' ', StringComparison.Ordinal) && !Text.StartsWith('@');

    /// <summary>Skips every run that is due on one of these dates.</summary>
    /// <param name="dates">The dates, at most 1,000.</param>
    /// <exception cref="ArgumentException">There is no date, or there are more than 1,000.</exception>
    public static ScheduleExceptions Dates(params IEnumerable<DateOnly> dates)
    {
        ArgumentNullException.ThrowIfNull(dates);
        DateOnly[] sorted = [.. dates.Distinct().Order()];
        return sorted.Length is >= 1 and <= MostDates
            ? new ScheduleExceptions(
                string.Join(',', sorted.Select(static date => date.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture))))
            : throw new ArgumentException(
                $"The exceptions have {sorted.Length:N0} dates; give 1 to {MostDates:N0}, "
                + $"or a cron expression ({nameof(ScheduleExceptions)}.{nameof(Cron)}).", nameof(dates));
    }

    /// <summary>Skips every run whose due time matches this cron expression too. An expression with five fields skips whole minutes:
    /// <c>* * 25 12 *</c> skips the 25th of December, and <c>* 12-13 * * *</c> two hours of every day.</summary>
    /// <param name="expression">Five fields, six with the second first, or a macro.</param>
    /// <exception cref="ArgumentException">The expression is invalid. The message names the field, the character and the allowed
    /// values.</exception>
    public static ScheduleExceptions Cron(string expression)
    {
        CronText.Parse(expression, jobName: "");
        return new ScheduleExceptions(CronText.Normalize(expression));
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Creates exceptions from a stored text, which is not validated.</summary>
    internal static ScheduleExceptions? FromStored(string? text) => string.IsNullOrEmpty(text) ? null : new ScheduleExceptions(text);
}
