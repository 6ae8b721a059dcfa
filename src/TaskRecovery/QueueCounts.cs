namespace TaskRecovery;

/// <summary>The number of entries in each state.</summary>
/// <param name="Waiting">Entries that are due and not yet claimed.</param>
/// <param name="Scheduled">Entries that wait for a future time.</param>
/// <param name="Running">Entries claimed by a node.</param>
/// <param name="Completed">Entries that completed and are not yet removed by retention.</param>
/// <param name="Failed">Entries that failed and are not yet removed by retention.</param>
/// <param name="Cancelled">Entries that were cancelled and are not yet removed by retention.</param>
public sealed record QueueCounts(long Waiting, long Scheduled, long Running, long Completed, long Failed, long Cancelled);
