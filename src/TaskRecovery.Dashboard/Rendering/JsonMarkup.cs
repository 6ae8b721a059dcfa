using System.Text.Json;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Rendering;

/// <summary>JSON with line breaks and colors. A text that is not JSON is shown as it is.</summary>
internal static class JsonMarkup
{
    private const int MaxShown = 128 * 1024;
    private const int MaxColored = 32 * 1024;

    public static Markup Render(string text)
    {
        if (text.Length > MaxColored)
        {
            var isCut = text.Length > MaxShown;
            return Html($"<pre tabindex=\"0\">{(isCut ? text[..MaxShown] : text)}{(isCut ? "\n… the rest is in the download" : "")}</pre>");
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return Html($"<pre tabindex=\"0\">{Value(document.RootElement, 0)}</pre>");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // Not JSON, or JSON with half of a surrogate pair, which is no text.
            return Html($"<pre tabindex=\"0\">{text}</pre>");
        }
    }

    private static Markup Value(JsonElement element, int depth) => element.ValueKind switch
    {
        JsonValueKind.Object when element.EnumerateObject().Any() => Html($"{{{Each(Numbered(element.EnumerateObject()), item =>
            Html($"{Separator(item.Index)}\n{Indent(depth + 1)}"
                + $"<span class=\"json-key\">{Quoted(item.Value.Name)}</span>: "
                + $"{Value(item.Value.Value, depth + 1)}"))}\n{Indent(depth)}}}"),
        JsonValueKind.Object => Html($"{{}}"),
        JsonValueKind.Array when element.GetArrayLength() > 0 => Html($"[{Each(Numbered(element.EnumerateArray()), item =>
            Html($"{Separator(item.Index)}\n{Indent(depth + 1)}{Value(item.Value, depth + 1)}"))}\n{Indent(depth)}]"),
        JsonValueKind.Array => Html($"[]"),
        JsonValueKind.String => Html($"<span class=\"json-text\">{Quoted(element.GetString()!)}</span>"),
        _ => Html($"<span class=\"json-value\">{element.GetRawText()}</span>"),
    };

    private static IEnumerable<(int Index, T Value)> Numbered<T>(IEnumerable<T> items)
        => items.Select(static (item, index) => (index, item));

    private static string Separator(int index) => index == 0 ? "" : ",";

    private static string Indent(int depth) => new(' ', depth * 2);

    private static string Quoted(string text)
        => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace(
            "\n", "\\n", StringComparison.Ordinal)}\"";
}
