using System.Globalization;
using System.Text;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>Replaces the escapes of JSON by the characters that they stand for. A reader sees the characters, but a redactor that looks for
/// them in the stored text would find <c>\u002B49</c> where the page shows <c>+49</c>.</summary>
internal static class JsonEscapes
{
    private const int Digits = 4;

    /// <summary>The same JSON without escapes, except those that JSON needs: quotes, backslashes, control characters and halves of
    /// surrogate pairs.</summary>
    public static string Remove(string json)
    {
        if (!json.Contains('\\', StringComparison.Ordinal))
        {
            return json;
        }

        var plain = new StringBuilder(json.Length);
        for (var at = 0; at < json.Length; at++)
        {
            if (json[at] != '\\' || at + 1 == json.Length)
            {
                plain.Append(json[at]);
            }
            else if (json[at + 1] == '/')
            {
                plain.Append('/');
                at++;
            }
            else if (Read(json, at) is { } unit && Written(json, at, unit) is { } text)
            {
                plain.Append(text);
                at += (text.Length * (Digits + 2)) - 1;
            }
            else
            {
                plain.Append(json, at, 2);
                at++;
            }
        }

        return plain.ToString();
    }

    // The character, or both halves of it; nothing if it must stay an escape.
    private static string? Written(string json, int at, char unit)
    {
        if (char.IsHighSurrogate(unit))
        {
            return Read(json, at + Digits + 2) is { } low && char.IsLowSurrogate(low) ? new string([unit, low]) : null;
        }

        return unit is '"' or '\\' || char.IsControl(unit) || char.IsLowSurrogate(unit) ? null : unit.ToString();
    }

    private static char? Read(string json, int at)
        => at + Digits + 2 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
            && ushort.TryParse(json.AsSpan(at + 2, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;
}
