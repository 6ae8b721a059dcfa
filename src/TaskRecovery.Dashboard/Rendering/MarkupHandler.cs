using System.Globalization;
using System.Runtime.CompilerServices;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>The interpolated-string handler behind <see cref="Markup.Html"/>. There is no overload for <see cref="object"/>: a type whose
/// text is not obviously safe does not compile.</summary>
[InterpolatedStringHandler]
internal ref struct MarkupHandler(int literalLength, int formattedCount)
{
    private DefaultInterpolatedStringHandler _text = new(literalLength, formattedCount, CultureInfo.InvariantCulture);

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted(Markup value) => _text.AppendLiteral(value.ToString());

    public void AppendFormatted(string? value) => HtmlText.Append(ref _text, value);

    public void AppendFormatted(int value) => _text.AppendFormatted(value);

    public void AppendFormatted(long value) => _text.AppendFormatted(value);

    public void AppendFormatted(Guid value) => _text.AppendFormatted(value);

    public void AppendFormatted(double value, string format)
        => HtmlText.Append(ref _text, value.ToString(format, CultureInfo.InvariantCulture));

    public string ToStringAndClear() => _text.ToStringAndClear();
}
