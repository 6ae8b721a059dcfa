namespace TaskRecovery.Cli.Output;

/// <summary>The JSON of an action that was only described.</summary>
internal sealed record DryRunResult(
    string WouldDo, Count? Entries = null, IReadOnlyList<EntrySummary>? Sample = null,
    IReadOnlyList<DateTimeOffset>? DueTimes = null);
