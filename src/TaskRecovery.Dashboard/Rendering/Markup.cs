namespace TaskRecovery.Dashboard.Rendering;

/// <summary>A piece of HTML. It can only be made from literals of the source code and from values that were encoded, so that no stored text
/// can become an element or an attribute.</summary>
internal readonly struct Markup
{
    private readonly string? _text;

    private Markup(string text) => _text = text;

    public bool IsEmpty => string.IsNullOrEmpty(_text);

    /// <summary>Makes a piece from an interpolated string: literals are copied, every hole is encoded.</summary>
    public static Markup Html(ref MarkupHandler content) => new(content.ToStringAndClear());

    /// <summary>The piece if the condition is true, otherwise nothing.</summary>
    public static Markup When(bool condition, Markup markup) => condition ? markup : default;

    /// <summary>One piece for each item, one after the other.</summary>
    public static Markup Each<T>(IEnumerable<T> items, Func<T, Markup> render)
    {
        var all = new MarkupHandler(0, 0);
        foreach (var item in items)
        {
            all.AppendFormatted(render(item));
        }

        return new Markup(all.ToStringAndClear());
    }

    public override string ToString() => _text ?? "";
}
