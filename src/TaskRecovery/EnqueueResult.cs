namespace TaskRecovery;

/// <summary>The result of enqueueing one entry.</summary>
/// <param name="Id">The id of the stored entry, or of the existing entry that holds the unique key.</param>
/// <param name="IsDuplicate"><see langword="true"/> if nothing was stored, because the entry <paramref name="Id"/> holds the unique key and
/// has not ended.</param>
public readonly record struct EnqueueResult(long Id, bool IsDuplicate);
