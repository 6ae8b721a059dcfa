namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of <c>erase</c>: what was erased, and how many entries that were.</summary>
internal sealed record EraseResult(string Subject, int Entries);
