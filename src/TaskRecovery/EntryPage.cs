namespace TaskRecovery;

/// <summary>One page of entries.</summary>
/// <param name="Entries">The entries, newest first.</param>
/// <param name="NextBefore">The value to pass as <see cref="EntryFilter.Before"/> for the next page; <see langword="null"/> on the last
/// page.</param>
public sealed record EntryPage(IReadOnlyList<QueueEntry> Entries, long? NextBefore);
