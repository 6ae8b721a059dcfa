using TaskRecovery.Queue;

namespace TaskRecovery;

/// <summary>Which entries <see cref="IJobQueue.EraseAsync"/> erases.</summary>
public sealed class EraseTarget
{
    private EraseTarget()
    {
    }

    /// <summary>The entry; <see langword="null"/> if entries are found by what they hold.</summary>
    public long? EntryId { get; private init; }

    /// <summary>The unique key that they were stored with.</summary>
    public string? UniqueKey { get; private init; }

    /// <summary>The kind that the unique key belongs to; <see langword="null"/> for every kind.</summary>
    public string? Kind { get; private init; }

    /// <summary>A pair of their metadata.</summary>
    public KeyValuePair<string, string>? Metadata { get; private init; }

    /// <summary>One entry.</summary>
    public static EraseTarget Entry(long entryId) => new() { EntryId = entryId };

    /// <summary>Every entry that was stored with a unique key, whatever its state: those that have ended too.</summary>
    /// <param name="uniqueKey">The key.</param>
    /// <param name="kind">The kind that the key belongs to; <see langword="null"/> means every kind.</param>
    public static EraseTarget ByUniqueKey(string uniqueKey, string? kind = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(uniqueKey);
        return new() { UniqueKey = uniqueKey, Kind = kind };
    }

    /// <summary>Every entry whose metadata have this pair, such as the id of a person.</summary>
    public static EraseTarget ByMetadata(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        return new() { Metadata = new(name, value) };
    }

    /// <summary>How entries are found, without the value that they are found by.</summary>
    public override string ToString() => EntryId is { } id ? $"entry {id}" : Metadata is { } pair ? $"metadata {EntryText.Shown(pair.Key)}" : "unique key";
}
