using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>Reads what travels with an entry as operators see it, in every store alike.</summary>
internal static class StoredMetadata
{
    /// <summary>The pairs of a JSON object; <see langword="null"/> for none, and for a text that is no such object: one row that something else wrote must not fail a list.</summary>
    internal static Dictionary<string, string>? Read(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What the text of every metadata with this value contains: a string as JSON writes it.</summary>
    internal static string Quoted(string value) => $"\"{JsonEncodedText.Encode(value)}\"";

    /// <summary>Whether a stored text has this pair.</summary>
    internal static bool Has(string? json, KeyValuePair<string, string> pair)
        => Read(json) is { } read && read.TryGetValue(pair.Key, out var value) && string.Equals(value, pair.Value, StringComparison.Ordinal);

    private static Dictionary<string, string> Read(JsonElement element)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            pairs[property.Name] = property.Value.ValueKind == JsonValueKind.String ? TextOf(property.Value) : property.Value.GetRawText();
        }

        return pairs;
    }

    // An escaped half of a surrogate pair is JSON, but no text.
    private static string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString() ?? string.Empty;
        }
        catch (InvalidOperationException)
        {
            return value.GetRawText();
        }
    }
}
