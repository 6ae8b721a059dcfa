namespace TaskRecovery;

/// <summary>The number of entries in each state.</summary>
/// <remarks>Each number is counted from no more than 100,000 rows, so that it costs the same with any history: of the ended entries, the
/// newest ones. If there are more rows, the number is <see cref="CountPrecision.AtLeast"/>.</remarks>
/// <param name="Due">Entries that are due and not yet claimed.</param>
/// <param name="Later">Entries that wait for a future time.</param>
/// <param name="Running">Entries claimed by a node.</param>
/// <param name="Completed">Entries that completed and are not yet removed by retention.</param>
/// <param name="Failed">Entries that failed and are not yet removed by retention.</param>
/// <param name="Cancelled">Entries that were cancelled and are not yet removed by retention.</param>
public sealed record QueueCounts(Count Due, Count Later, Count Running, Count Completed, Count Failed, Count Cancelled);
