namespace TaskRecovery;

/// <summary>One page of bulk operations.</summary>
/// <param name="Operations">The operations, newest first.</param>
/// <param name="NextBefore">The value of <see cref="OperationQuery.Before"/> for the next page; <see langword="null"/> on the last
/// page.</param>
public sealed record OperationPage(IReadOnlyList<BulkOperation> Operations, long? NextBefore);
