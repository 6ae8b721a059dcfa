using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskRecovery.Storage;

/// <summary>The query of a bulk operation as it is stored.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(EntryQuery))]
internal sealed partial class StoredQuery : JsonSerializerContext
{
    /// <summary>Writes a query as JSON.</summary>
    internal static string? Write(EntryQuery? query) => query is null ? null : JsonSerializer.Serialize(query, Default.EntryQuery);

    /// <summary>Reads a query.</summary>
    internal static EntryQuery? Read(string? json) => json is null ? null : JsonSerializer.Deserialize(json, Default.EntryQuery);
}
