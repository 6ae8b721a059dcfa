namespace TaskRecovery;

/// <summary>The number of entries of one kind, reason, queue or state.</summary>
/// <param name="Key">The kind, reason, queue or state; empty if an entry has none.</param>
/// <param name="Entries">The number of entries.</param>
public sealed record EntryGroup(string Key, Count Entries);
