namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of a check of the invariant.</summary>
internal sealed record CheckResult(IReadOnlyList<string> Violations);
