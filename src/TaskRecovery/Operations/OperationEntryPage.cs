namespace TaskRecovery;

/// <summary>One page of entries that a bulk operation has processed.</summary>
/// <param name="Entries">The entries, by ascending id.</param>
/// <param name="NextAfter">The value of <see cref="OperationEntryQuery.After"/> for the next page; <see langword="null"/> on the last
/// page.</param>
public sealed record OperationEntryPage(IReadOnlyList<OperationEntry> Entries, long? NextAfter);
