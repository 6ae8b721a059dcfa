namespace TaskRecovery.Dashboard.Api;

/// <summary>One page of bulk operations.</summary>
/// <param name="Operations">The operations, newest first.</param>
/// <param name="NextBefore">The value of <c>before</c> for the next page; <see langword="null"/> on the last page.</param>
internal sealed record ApiOperationPage(IReadOnlyList<BulkOperation> Operations, long? NextBefore);
