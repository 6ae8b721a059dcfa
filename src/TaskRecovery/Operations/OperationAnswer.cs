namespace TaskRecovery;

/// <summary>The answer to a command about a bulk operation.</summary>
/// <param name="Result">Whether the command was carried out.</param>
/// <param name="Operation">The operation after the command, or the new one after an undo; <see langword="null"/> if there is none with this
/// id.</param>
public sealed record OperationAnswer(OperationResult Result, BulkOperation? Operation);
