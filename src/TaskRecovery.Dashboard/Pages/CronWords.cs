using System.Globalization;
using TaskRecovery.Schedules;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The common shapes of cron expressions in words.</summary>
internal static class CronWords
{
    private static readonly string[] Weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

    /// <summary>Says when an expression matches; <see langword="null"/> if it has no common shape.</summary>
    /// <param name="expression">The expression, with five or six fields, or a macro.</param>
    /// <param name="zone">The id of its time zone.</param>
    public static string? Of(string expression, string zone)
    {
        var fields = (CronMacros.Expand(expression) ?? expression).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields is [var second, "*", "*", "*", "*", "*"] && Step(second, 60) is { } seconds)
        {
            return Every(seconds, "second");
        }

        if (fields is ["0", _, _, _, _, _])
        {
            fields = fields[1..];
        }

        if (fields is not [var minute, var hour, var day, var month, var weekday] || Days(day, month, weekday) is not { } days)
        {
            return null;
        }

        if (Clock(minute, hour) is { } clock)
        {
            return $"{(days.Length == 0 ? "every day" : days)} {clock} ({zone})";
        }

        return Often(minute, hour) is not { } often ? null
            : days.Length > 0 ? $"{often}, {days} ({zone})"
            : zone == "UTC" ? often : $"{often} ({zone})";
    }

    private static string? Clock(string minute, string hour)
    {
        var hours = hour.Split(',').Select(Number).ToList();
        return Number(minute) is { } at && hours.TrueForAll(static one => one is not null)
            ? "at " + Listed(hours.Select(one => $"{one:00}:{at:00}"))
            : null;
    }

    private static string? Often(string minute, string hour)
        => Step(minute, 60) is { } minutes && hour == "*" ? Every(minutes, "minute")
            : Number(minute) is { } at && Step(hour, 24) is { } hours ? Every(hours, "hour") + (at == 0 ? "" : $" at minute {at}")
            : null;

    private static string? Days(string day, string month, string weekday) => (day, month, weekday) switch
    {
        ("*" or "?", "*", "*" or "?") => "",
        ("*" or "?", "*", _) => OnWeekdays(weekday),
        ("L", "*", "*" or "?") => "on the last day of the month",
        (_, "*", "*" or "?") when Number(day) is { } number => $"on day {number} of the month",
        (_, _, "*" or "?") when Number(day) == 29 && Number(month) == 2 => "on February 29 in leap years",
        (_, _, "*" or "?") when Number(day) is { } number && Number(month) is { } of and >= 1 and <= 12
            => $"every year on {CultureInfo.InvariantCulture.DateTimeFormat.GetMonthName(of)} {number}",
        _ => null,
    };

    private static string? OnWeekdays(string field)
    {
        var days = field.Split(',').Select(static part => part.Split('-') switch
        {
            [var one] => Weekday(one),
            [var first, var last] when Weekday(first) is { } begin && Weekday(last) is { } end => $"{begin} to {end}",
            _ => null,
        }).ToList();
        return days.Contains(null) ? null : Listed(days);
    }

    private static string? Weekday(string text)
        => Number(text) is { } number ? number <= 7 ? Weekdays[number % 7] : null
            : text.Length == 3 ? Array.Find(Weekdays, name => name.StartsWith(text, StringComparison.OrdinalIgnoreCase))
            : null;

    // A step that does not divide the whole begins anew with each whole: '*/7' is not every 7 minutes.
    private static int? Step(string field, int whole)
        => field == "*" ? (int?)1
            : field.StartsWith("*/", StringComparison.Ordinal) && Number(field[2..]) is { } step and > 0 && whole % step == 0 ? step
            : null;

    private static int? Number(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Every(int count, string unit) => count == 1 ? $"every {unit}" : $"every {count} {unit}s";

    private static string Listed(IEnumerable<string?> parts)
    {
        var all = parts.ToList();
        return all.Count == 1 ? all[0]! : $"{string.Join(", ", all.Take(all.Count - 1))} and {all[^1]}";
    }
}
