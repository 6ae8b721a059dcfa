using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Times as users write them.</summary>
internal static class TimeText
{
    // A parser that takes more would guess: the month and the day of 11/12/2026, and the date of 22:30.
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd",
        "yyyy-MM-dd'T'HH:mmK",
        "yyyy-MM-dd HH:mmK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mm:ss.FFFFFFFK",
    ];

    /// <summary>Reads an ISO 8601 date or time, which is UTC if it has no offset; <see langword="null"/> if it is something else.</summary>
    public static DateTimeOffset? Read(string text)
        => DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;
}
