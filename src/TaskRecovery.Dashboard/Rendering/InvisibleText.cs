using System.Buffers;
using System.Globalization;
using System.Text;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>Characters of stored texts and requests that could make a page or a line of the log say something else: control characters,
/// and those that are not shown or change the direction of text.</summary>
internal static class InvisibleText
{
    /// <summary>These characters.</summary>
    public static readonly string Characters = string.Concat(
        Enumerable.Range(0, 0x20)
            .Concat(Enumerable.Range(0x7F, 0x21))
            .Concat([0x61C, 0x200B, 0x200E, 0x200F, 0xFEFF])
            .Concat(Enumerable.Range(0x2028, 7))
            .Concat(Enumerable.Range(0x2066, 4))
            .Select(static code => (char)code));

    private static readonly SearchValues<char> Values = SearchValues.Create(Characters);

    /// <summary>The code that is shown instead of a character.</summary>
    public static string CodeOf(char character) => string.Create(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");

    /// <summary>The text with codes instead of these characters, for a line of the log.</summary>
    public static string Shown(string text)
    {
        if (text.AsSpan().IndexOfAny(Values) < 0)
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (var character in text)
        {
            _ = Values.Contains(character) ? shown.Append(CodeOf(character)) : shown.Append(character);
        }

        return shown.ToString();
    }
}
