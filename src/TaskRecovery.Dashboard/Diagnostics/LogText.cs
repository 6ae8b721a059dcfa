using System.Buffers;
using System.Globalization;
using System.Text;

namespace TaskRecovery.Dashboard.Diagnostics;

/// <summary>Text of a request as it may be logged: control characters and those that change the direction of text are shown as codes, so
/// that a request can't forge a line of the log.</summary>
internal static class LogText
{
    private static readonly SearchValues<char> Invisible = SearchValues.Create(
        [.. Enumerable.Range(0, 0x20)
            .Concat(Enumerable.Range(0x7F, 0x21))
            .Concat([0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF])
            .Concat(Enumerable.Range(0x2028, 7))
            .Concat(Enumerable.Range(0x2066, 4))
            .Select(static code => (char)code)]);

    public static string Of(string text)
    {
        if (text.AsSpan().IndexOfAny(Invisible) < 0)
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (var character in text)
        {
            _ = Invisible.Contains(character)
                ? shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}")
                : shown.Append(character);
        }

        return shown.ToString();
    }
}
