namespace TaskRecovery.Dashboard.Pages;

/// <summary>One page of bulk operations.</summary>
/// <param name="Operations">The operations, newest first.</param>
/// <param name="NextBefore">The next page has operations with smaller ids; <see langword="null"/> if there are none.</param>
internal sealed record OperationList(IReadOnlyList<BulkOperation> Operations, long? NextBefore);
