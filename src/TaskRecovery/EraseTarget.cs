using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery;

/// <summary>Selects the entries that <see cref="IJobQueue.EraseAsync"/> erases.</summary>
public sealed class EraseTarget
{
    private EraseTarget()
    {
    }

    /// <summary>The id of the entry; <see langword="null"/> if entries are selected by unique key or metadata.</summary>
    public long? EntryId { get; private init; }

    /// <summary>The unique key of the entries; <see langword="null"/> if they are selected otherwise.</summary>
    public string? UniqueKey { get; private init; }

    /// <summary>The kind of the entries with the unique key; <see langword="null"/> for every kind.</summary>
    public string? Kind { get; private init; }

    /// <summary>A name and value in the metadata of the entries; <see langword="null"/> if they are selected otherwise.</summary>
    public KeyValuePair<string, string>? Metadata { get; private init; }

    /// <summary>Selects one entry by its id.</summary>
    public static EraseTarget Entry(long entryId) => new() { EntryId = entryId };

    /// <summary>Selects every entry stored with a unique key, in any state, including entries that have ended.</summary>
    /// <param name="uniqueKey">The unique key.</param>
    /// <param name="kind">The kind of the entries; <see langword="null"/> means every kind.</param>
    public static EraseTarget ByUniqueKey(string uniqueKey, string? kind = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(uniqueKey);
        return new() { UniqueKey = uniqueKey, Kind = kind };
    }

    /// <summary>Selects every entry whose metadata contain this name and value, for example the id of a person, in any state.</summary>
    public static EraseTarget ByMetadata(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        return new() { Metadata = new(name, value) };
    }

    /// <summary>Describes how entries are selected. Omits the key or value, which may be personal data.</summary>
    public override string ToString()
        => EntryId is { } id ? $"entry {id}" : Metadata is { } pair ? $"metadata {EntryText.Shown(pair.Key)}" : "unique key";
}
