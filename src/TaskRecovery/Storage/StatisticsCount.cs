using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Counts that a node has added up since it stored them last.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Totals">The counts.</param>
[Experimental("TASKRECOVERY001")]
public sealed record StatisticsCount(string Queue, string Kind, EntryTotals Totals);
