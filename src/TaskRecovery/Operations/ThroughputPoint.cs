namespace TaskRecovery;

/// <summary>The counts of one interval.</summary>
/// <param name="At">The begin of the interval.</param>
/// <param name="Totals">The counts.</param>
public sealed record ThroughputPoint(DateTimeOffset At, EntryTotals Totals);
