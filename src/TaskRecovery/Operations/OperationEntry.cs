namespace TaskRecovery;

/// <summary>An entry that a bulk operation has processed.</summary>
/// <param name="EntryId">The id of the entry.</param>
/// <param name="Result"><see cref="OperatorResult.Done"/>, or why the entry was not changed.</param>
public sealed record OperationEntry(long EntryId, OperatorResult Result);
