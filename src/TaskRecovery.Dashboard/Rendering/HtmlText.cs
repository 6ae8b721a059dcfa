using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>Encodes text for the content of an element and for a quoted attribute.</summary>
internal static class HtmlText
{
    // Markup, control characters (NUL to US without tab and newline, DEL, C1) and the characters that change the direction of text.
    private static readonly SearchValues<char> Special = SearchValues.Create(Characters());

    public static void Append(ref DefaultInterpolatedStringHandler target, ReadOnlySpan<char> text)
    {
        while (true)
        {
            var next = text.IndexOfAny(Special);
            if (next < 0)
            {
                target.AppendFormatted(text);
                return;
            }

            target.AppendFormatted(text[..next]);
            switch (text[next])
            {
                case '&': target.AppendLiteral("&amp;"); break;
                case '<': target.AppendLiteral("&lt;"); break;
                case '>': target.AppendLiteral("&gt;"); break;
                case '"': target.AppendLiteral("&quot;"); break;
                case '\'': target.AppendLiteral("&#39;"); break;
                case '\r': break;
                case var other: target.AppendLiteral(string.Create(CultureInfo.InvariantCulture, $"\\u{(int)other:x4}")); break;
            }

            text = text[(next + 1)..];
        }
    }

    private static string Characters()
    {
        var characters = new StringBuilder("&<>\"'");
        for (var code = 0; code < 0x20; code++)
        {
            if (code is not ('\t' or '\n'))
            {
                characters.Append((char)code);
            }
        }

        for (var code = 0x7F; code < 0xA0; code++)
        {
            characters.Append((char)code);
        }

        foreach (var code in (ReadOnlySpan<int>)[
            0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069, 0xFEFF])
        {
            characters.Append((char)code);
        }

        return characters.ToString();
    }
}
