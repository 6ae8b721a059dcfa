using System.Globalization;
using System.Text;
using Cronos;

namespace TaskRecovery.Schedules;

/// <summary>Parses cron expressions. Syntax that Cronos does not support is rewritten first: <c>H</c>, ranges of <c>H</c>, and steps inside
/// lists.</summary>
internal static class CronText
{
    /// <summary>Parses an expression.</summary>
    /// <param name="text">Five fields, six with seconds first, or a macro such as <c>@hourly</c>.</param>
    /// <param name="jobName">The job name, from whose hash <c>H</c> gets its value. Jobs with the same expression run at different times,
    /// but each job always at the same time.</param>
    /// <exception cref="ArgumentException">The expression is invalid. The message names the field, the character and the allowed
    /// values.</exception>
    public static CronExpression Parse(string text, string jobName) => Parse(text, jobName, out _);

    /// <summary>As <see cref="Parse(string, string)"/>.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="jobName">The job name.</param>
    /// <param name="isRepeated">Whether the expression has <c>*</c>, a step or a range in its second, minute or hour. If an hour occurs
    /// twice, such an expression runs at both.</param>
    /// <exception cref="ArgumentException">The expression is invalid.</exception>
    public static CronExpression Parse(string text, string jobName, out bool isRepeated)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = Split(CronMacros.Expand(text)
            ?? throw Unreadable(text, $"there is no macro '{text.Trim()}'; the macros are {string.Join(", ", CronMacros.Names)}"));
        if (parts.Count is not (5 or 6))
        {
            throw Unreadable(text, $"it has {parts.Count} fields; write five (minute, hour, day of month, month, day of week), "
                + "or six with the second first");
        }

        var fields = parts.Count == 6 ? CronField.All : [.. CronField.All.Skip(1)];
        RefuseBothDays(text, parts[^3].Text, parts[^1].Text);
        var rewritten = new StringBuilder();
        isRepeated = false;
        for (var i = 0; i < fields.Count; i++)
        {
            var reader = new CronFieldReader(text, parts[i].Text, parts[i].Position, fields[i], jobName);
            var field = reader.Rewrite();
            rewritten.Append(i == 0 ? "" : " ").Append(field);
            // The last three fields are the days and the month.
            isRepeated |= i < fields.Count - 3 && field.AsSpan().IndexOfAny('*', '/', '-') >= 0;
        }

        try
        {
            return CronExpression.Parse(rewritten.ToString(), parts.Count == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);
        }
        catch (Cronos.CronFormatException exception)
        {
            throw Unreadable(text, exception.Message);
        }
    }

    /// <summary>Returns the form in which an expression is stored: one space between the fields, and the rest as it was written.</summary>
    public static string Normalize(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Returns the longest of a day, a minute and a second for which an expression matches either all of it or nothing of
    /// it.</summary>
    public static TimeSpan UnitOf(string text)
    {
        var parts = Split(CronMacros.Expand(text) ?? text);
        if (parts.Count == 6 && !IsUnrestricted(parts[0].Text, CronField.Second))
        {
            return TimeSpan.FromSeconds(1);
        }

        return parts.Count is 5 or 6 && IsUnrestricted(parts[^5].Text, CronField.Minute) && IsUnrestricted(parts[^4].Text, CronField.Hour)
            ? TimeSpan.FromDays(1)
            : TimeSpan.FromMinutes(1);
    }

    /// <summary>Creates the exception for an invalid expression.</summary>
    internal static ArgumentException Unreadable(string expression, string problem)
        => new($"The cron expression '{expression}' can't be used: {problem}.", nameof(expression));

    private static bool IsUnrestricted(string text, CronField field)
        => text is "*" or "*/1" || string.Equals(text, string.Create(CultureInfo.InvariantCulture, $"{field.Least}-{field.Most}"),
            StringComparison.Ordinal);

    // If both days are restricted, crontab runs when either matches and Cronos only when both match. Reject the expression, because either
    // reading would be wrong for some users.
    private static void RefuseBothDays(string text, string dayOfMonth, string dayOfWeek)
    {
        if (dayOfMonth is "*" or "?" || dayOfWeek is "*" or "?")
        {
            return;
        }

        throw Unreadable(
            text,
            $"day of month '{dayOfMonth}' and day of week '{dayOfWeek}' are both restricted, which means either day in crontab and both "
            + "days elsewhere. "
            + $"For either day declare two jobs, one with '{dayOfMonth} * *' and '*' as day of week, one with '*' as day of month and "
            + $"'{dayOfWeek}'; "
            + $"for both keep '{dayOfWeek}' (or n#1 to n#5 for the first to fifth of a weekday) and let the handler return on other dates");
    }

    private static List<(string Text, int Position)> Split(string expression)
    {
        var parts = new List<(string, int)>();
        for (var i = 0; i < expression.Length;)
        {
            if (char.IsWhiteSpace(expression[i]))
            {
                i++;
                continue;
            }

            var end = i;
            while (end < expression.Length && !char.IsWhiteSpace(expression[end]))
            {
                end++;
            }

            parts.Add((expression[i..end], i + 1));
            i = end;
        }

        return parts;
    }
}
