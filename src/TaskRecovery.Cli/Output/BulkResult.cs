namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an action on many entries.</summary>
internal sealed record BulkResult(
    long OperationId, BulkAction Action, OperationState State, Count Matched,
    long Done, long Refused, IReadOnlyList<OperationEntry> RefusedEntries);
