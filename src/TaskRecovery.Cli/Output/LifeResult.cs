namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an entry's life.</summary>
internal sealed record LifeResult(EntryLife Life, IReadOnlyList<RunLogLine>? Log);
