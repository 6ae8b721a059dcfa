using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Times as users and other programs write them.</summary>
internal static class TimeText
{
    private const int DateLength = 10;
    private const int MostDecimals = 7;

    // A parser that takes more would guess: the month and the day of 11/12/2026, and the date of 22:30.
    private static readonly string[] Formats = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Reads an ISO 8601 date or time, which is UTC if it has no offset; <see langword="null"/> if it is something else.</summary>
    public static DateTimeOffset? Read(string text)
        => DateTimeOffset.TryParseExact(
            WithOneForm(text), Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : null;

    // The same time has several forms that leave nothing to guess: Go and Java write nanoseconds, of which a time here has the first seven
    // digits, and PostgreSQL writes a space and an offset of hours only.
    private static string WithOneForm(string text)
    {
        if (text.Length <= DateLength || text[DateLength] is not ('T' or 't' or ' '))
        {
            return text;
        }

        var time = text[(DateLength + 1)..];
        var end = time.AsSpan().IndexOfAny("Zz+-");
        var (clock, offset) = end < 0 ? (time, "") : (time[..end], time[end..]);
        var kept = clock.IndexOf('.', StringComparison.Ordinal) is var point and >= 0 ? point + 1 + MostDecimals : clock.Length;
        if (kept < clock.Length && !clock.AsSpan(kept).ContainsAnyExceptInRange('0', '9'))
        {
            clock = clock[..kept];
        }

        return $"{text[..DateLength]}T{clock}{WithMinutes(offset)}";
    }

    private static string WithMinutes(string offset) => offset.Length switch
    {
        1 => offset.ToUpperInvariant(),
        3 => $"{offset}:00",
        5 => $"{offset[..3]}:{offset[3..]}",
        _ => offset,
    };
}
