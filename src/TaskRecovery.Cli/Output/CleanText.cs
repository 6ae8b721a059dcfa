using System.Globalization;
using System.Text;

namespace TaskRecovery.Cli.Output;

/// <summary>Makes any stored text safe to show in a terminal. Control and escape characters could change what the terminal shows or does,
/// and bidirectional or invisible ones could disguise a name.</summary>
internal static class CleanText
{
    /// <summary>Removes these characters. Line breaks and tabs become spaces.</summary>
    public static string OneLine(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var clean = new StringBuilder(text.Length);
        foreach (var character in text.EnumerateRunes())
        {
            if (character.Value is '\n' or '\t')
            {
                clean.Append(' ');
            }
            else if (!IsUnsafe(character))
            {
                clean.Append(character.ToString());
            }
        }

        return clean.ToString();
    }

    /// <summary>Splits a text at its line breaks and cleans each line.</summary>
    public static IEnumerable<string> Lines(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Split('\n').Select(OneLine);
    }

    private static bool IsUnsafe(Rune character) => Rune.GetUnicodeCategory(character) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
