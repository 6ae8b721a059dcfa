namespace TaskRecovery;

/// <summary>What became of an enqueue.</summary>
/// <param name="Id">The stored entry, or the one that already holds the unique key.</param>
/// <param name="IsDuplicate"><see langword="true"/> if nothing was stored because <paramref name="Id"/> holds the unique key and has not ended.</param>
public readonly record struct EnqueueResult(long Id, bool IsDuplicate);
