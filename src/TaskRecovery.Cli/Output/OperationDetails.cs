namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a bulk operation with the entries that it has processed.</summary>
internal sealed record OperationDetails(BulkOperation Operation, IReadOnlyList<OperationEntry> Entries);
