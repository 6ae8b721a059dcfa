using System.Globalization;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>Reads values of the command line. An error names the option, its value and what is allowed.</summary>
internal static class Values
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(24);

    /// <summary>Reads the id of an entry.</summary>
    public static long Id(string text) => Number("ID", text, "an entry");

    /// <summary>Reads the id of a bulk operation.</summary>
    public static long OperationId(string text) => Number("OP", text, "an operation");

    /// <summary>Reads a name of an enumeration, in any case.</summary>
    public static T Name<T>(string option, string text)
        where T : struct, Enum
        => Enum.GetNames<T>().FirstOrDefault(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) is { } found
            ? Enum.Parse<T>(found)
            : throw CommandException.Usage($"{option} is '{text}': use one of {string.Join(", ", Enum.GetNames<T>())}.");

    /// <summary>Reads a time: an ISO 8601 time, which is UTC if it has no offset, or a duration before now.</summary>
    public static DateTimeOffset? Past(string option, string? text) => Time(option, text, -1, TimeProvider.System.GetUtcNow());

    /// <summary>Reads a time: an ISO 8601 time, which is UTC if it has no offset, or a duration after now.</summary>
    /// <param name="option">The name of the option.</param>
    /// <param name="text">Its value.</param>
    /// <param name="now">The time by the store's clock, with which the result is compared: the clock of this machine may differ.</param>
    public static DateTimeOffset? Future(string option, string? text, DateTimeOffset now) => Time(option, text, 1, now);

    /// <summary>Reads a name and a value with <c>=</c> between them.</summary>
    public static KeyValuePair<string, string>? Pair(string option, string? text)
    {
        if (text is null)
        {
            return null;
        }

        return text.IndexOf('=', StringComparison.Ordinal) is var at and > 0
            ? new(text[..at], text[(at + 1)..])
            : throw CommandException.Usage($"{option} is '{text}': write a name and a value, as in tenant=acme.");
    }

    /// <summary>Reads a duration that is longer than nothing.</summary>
    public static TimeSpan? Span(string option, string? text) => text is null ? null
        : Duration(text) is { } duration && duration > TimeSpan.Zero ? duration
        : throw CommandException.Usage($"{option} is '{text}': use a duration such as 90s, 30m, 2h or 7d.");

    /// <summary>Reads how long this process waits. A timer can't wait for much longer than 24 days.</summary>
    public static TimeSpan? Wait(string option, string? text)
    {
        var duration = Span(option, text);
        return duration > LongestWait
            ? throw CommandException.Usage(
                string.Create(CultureInfo.InvariantCulture, $"{option} is '{text}': use at most {LongestWait.TotalDays:0}d."))
            : duration;
    }

    private static long Number(string name, string text, string what)
        => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw CommandException.Usage($"{name} is '{text}': use the number of {what}, such as 42.");

    private static DateTimeOffset? Time(string option, string? text, int direction, DateTimeOffset now)
    {
        if (text is null)
        {
            return null;
        }

        if (Duration(text) is { } duration)
        {
            return now + (direction * duration);
        }

        return TimeText.Read(text) is { } time
            ? time.ToUniversalTime()
            : throw CommandException.Usage(
                $"{option} is '{text}': use a time such as 2026-03-29T12:00:00Z, or a duration such as 90s, 30m, 2h or 7d.");
    }

    private static TimeSpan? Duration(string text)
    {
        var unit = text.AsSpan().TrimStart("0123456789");
        if (!int.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || number > 36_500)
        {
            return null;
        }

        return unit switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            "d" => TimeSpan.FromDays(number),
            _ => null,
        };
    }
}
