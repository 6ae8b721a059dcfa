namespace TaskRecovery;

/// <summary>A stored checkpoint.</summary>
/// <param name="StoredAt">When it was stored.</param>
/// <param name="Fence">The fence of the run that stored it.</param>
/// <param name="Bytes">Its size. The checkpoint itself is read with <see cref="IQueueMonitor.GetCheckpointAsync"/>.</param>
public sealed record EntryCheckpoint(DateTimeOffset StoredAt, long Fence, long Bytes);
