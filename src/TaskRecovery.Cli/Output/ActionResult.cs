namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an action on one thing.</summary>
internal sealed record ActionResult(string Action, string Subject, OperatorResult Result);
