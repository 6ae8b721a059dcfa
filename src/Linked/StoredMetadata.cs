using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>Reads stored metadata for operator queries. Both stores use it, so that they show the same values.</summary>
internal static class StoredMetadata
{
    /// <summary>Parses a JSON object. Returns <see langword="null"/> if the text is empty or not a JSON object: a single row written by
    /// another program must not make a list query fail.</summary>
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

    /// <summary>The value as a quoted JSON string. The JSON text of any metadata with this value contains it.</summary>
    internal static string Quoted(string value) => $"\"{JsonEncodedText.Encode(value)}\"";

    /// <summary>Whether the stored JSON contains this name with this value.</summary>
    internal static bool Has(string? json, KeyValuePair<string, string> pair)
        => Read(json) is { } read && read.TryGetValue(pair.Key, out var value)
            && string.Equals(value, pair.Value, StringComparison.Ordinal);

    private static Dictionary<string, string> Read(JsonElement element)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in element.EnumerateObject())
        {
            pairs[property.Name] = property.Value.ValueKind == JsonValueKind.String ? TextOf(property.Value) : property.Value.GetRawText();
        }

        return pairs;
    }

    // An escaped lone surrogate is valid JSON, but GetString throws for it.
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
