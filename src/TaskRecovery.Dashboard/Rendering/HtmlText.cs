using System.Buffers;
using System.Runtime.CompilerServices;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>Encodes text for the content of an element and for a quoted attribute.</summary>
internal static class HtmlText
{
    private static readonly SearchValues<char> Special = SearchValues.Create(
        "&<>\"'" + string.Concat(InvisibleText.Characters.Where(static character => character is not ('\t' or '\n'))));

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
                case var other: target.AppendLiteral(InvisibleText.CodeOf(other)); break;
            }

            text = text[(next + 1)..];
        }
    }
}
