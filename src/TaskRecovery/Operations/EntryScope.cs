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
}
