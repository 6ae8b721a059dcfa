namespace TaskRecovery;

/// <summary>A part of the system that someone may see or change, for example one tenant's entries.</summary>
public sealed record EntryScope
{
    /// <summary>The queues; <see langword="null"/> for all.</summary>
    public IReadOnlyCollection<string>? Queues { get; init; }

    /// <summary>The kinds; <see langword="null"/> for all.</summary>
    public IReadOnlyCollection<string>? Kinds { get; init; }

    /// <summary>A name and value that the entry's metadata must have, such as a tenant; <see langword="null"/> for no condition.</summary>
    public KeyValuePair<string, string>? Metadata { get; init; }

    /// <summary>Whether an entry is in this part.</summary>
    /// <param name="queue">The entry's queue.</param>
    /// <param name="kind">The entry's kind.</param>
    /// <param name="metadata">The entry's metadata; <see langword="null"/> if it has none.</param>
    public bool Admits(string queue, string kind, IReadOnlyDictionary<string, string>? metadata)
        => (Queues is null || Queues.Contains(queue, StringComparer.Ordinal))
            && (Kinds is null || Kinds.Contains(kind, StringComparer.Ordinal))
            && (Metadata is not { } pair || (metadata is not null && metadata.TryGetValue(pair.Key, out var value)
                && string.Equals(value, pair.Value, StringComparison.Ordinal)));
}
