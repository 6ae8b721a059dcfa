using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The counts of one minute or hour.</summary>
/// <param name="At">The begin of the minute or hour, by the store's clock.</param>
/// <param name="Queue">The queue; empty if the counts are not separated by queue.</param>
/// <param name="Kind">The kind; empty if the counts are not separated by kind.</param>
/// <param name="Totals">The counts.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StatisticsRow(DateTimeOffset At, string Queue, string Kind, EntryTotals Totals);
