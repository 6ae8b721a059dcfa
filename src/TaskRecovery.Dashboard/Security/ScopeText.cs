using System.Text;
using System.Text.Json;

namespace TaskRecovery.Dashboard.Security;

/// <summary>A scope as a text that is the same for the same scope.</summary>
internal static class ScopeText
{
    public static string Of(EntryScope? scope)
    {
        if (scope is null)
        {
            return "";
        }

        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartArray();
            Write(json, scope.Queues);
            Write(json, scope.Kinds);
            if (scope.Metadata is { } pair)
            {
                json.WriteStringValue(pair.Key);
                json.WriteStringValue(pair.Value);
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void Write(Utf8JsonWriter json, IReadOnlyCollection<string>? names)
    {
        if (names is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (var name in names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
    }
}
