namespace TaskRecovery;

/// <summary>A finished step.</summary>
/// <param name="Name">The name of the step.</param>
/// <param name="StoredAt">When its result was stored.</param>
/// <param name="Fence">The fence of the run that stored it.</param>
/// <param name="Bytes">The size of its result. The result itself is read with <see cref="IQueueMonitor.GetStepResultAsync"/>.</param>
public sealed record EntryStep(string Name, DateTimeOffset StoredAt, long Fence, long Bytes);
