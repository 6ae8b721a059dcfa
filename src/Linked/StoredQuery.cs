using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskRecovery.Storage;

/// <summary>The query of a bulk operation as it is stored.</summary>
/// <remarks>A member that is not known is a condition of a newer version: without it, the query would match more.</remarks>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(EntryQuery))]
[JsonSerializable(typeof(EntryScope))]
internal sealed partial class StoredQuery : JsonSerializerContext
{
    /// <summary>Writes a query as JSON.</summary>
    internal static string? Write(EntryQuery? query)
        => query is null ? null : JsonSerializer.Serialize(query with { Scope = Sorted(query.Scope) }, Default.EntryQuery);

    /// <summary>Returns the text that a written query contains exactly if it has this scope, so that a statement can compare
    /// it.</summary>
    /// <remarks>A value can't contain this text, because quotes in values are written as escapes.</remarks>
    internal static string? PartOf(EntryScope? scope)
        => Sorted(scope) is { } sorted
            ? $"\"{nameof(TaskRecovery.EntryQuery.Scope)}\":{JsonSerializer.Serialize(sorted, Default.EntryScope)}"
            : null;

    /// <summary>Reads a query.</summary>
    /// <returns>The query, and whether the text could be read; one that could not is never a query without conditions.</returns>
    internal static (EntryQuery? Query, bool IsReadable) Read(string? json)
    {
        if (json is null)
        {
            return (null, true);
        }

        try
        {
            return JsonSerializer.Deserialize(json, Default.EntryQuery) is { } query ? (query, true) : (null, false);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return (null, false);
        }
    }

    private static EntryScope? Sorted(EntryScope? scope)
        => scope is null ? null : scope with { Queues = Sorted(scope.Queues), Kinds = Sorted(scope.Kinds) };

    private static string[]? Sorted(IReadOnlyCollection<string>? names)
        => names is null ? null : [.. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
