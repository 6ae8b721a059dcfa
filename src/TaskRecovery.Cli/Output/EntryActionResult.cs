namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an action on one entry.</summary>
internal sealed record EntryActionResult(string Action, string Subject, OperatorResult Result, long? OperationId);
