namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of <c>erase</c>: what was erased, how many entries that were, and which of the given ids do not exist.</summary>
internal sealed record EraseResult(string Subject, int Entries, IReadOnlyList<long> Missing);
