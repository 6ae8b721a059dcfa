using System.Globalization;

namespace TaskRecovery.Cli.Output;

/// <summary>How values are written in tables and lines. A missing value is a dash.</summary>
internal static class Format
{
    private const string Missing = "-";

    public static string Text(string? text) => string.IsNullOrEmpty(text) ? Missing : text;

    public static string Time(DateTimeOffset? time)
        => time is { } some ? some.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) : Missing;

    public static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? Missing;

    public static string Duration(TimeSpan? duration) => duration switch
    {
        null => Missing,
        { TotalDays: >= 1 } some => string.Create(CultureInfo.InvariantCulture, $"{some.Days}d{some.Hours}h"),
        { TotalHours: >= 1 } some => string.Create(CultureInfo.InvariantCulture, $"{some.Hours}h{some.Minutes}m"),
        { TotalMinutes: >= 1 } some => string.Create(CultureInfo.InvariantCulture, $"{some.Minutes}m{some.Seconds}s"),
        { } some => string.Create(CultureInfo.InvariantCulture, $"{some.TotalSeconds:0.#}s"),
    };

    public static string Pause(PauseInfo? pause)
    {
        if (pause is null)
        {
            return Missing;
        }

        var since = pause.Since is { } start ? $" since {Time(start)}" : "";
        var until = pause.Until is { } end ? $" until {Time(end)}" : "";
        var reason = pause.Reason is { } why ? $": {why}" : "";
        return $"paused by {pause.Actor ?? "unknown"}{since}{until}{reason}";
    }
}
