namespace TaskRecovery;

/// <summary>The counts of a queue, a kind, or everything, over time.</summary>
/// <param name="Name">The queue or kind; <see langword="null"/> if the counts are not separated.</param>
/// <param name="Points">One point for each interval of the range, oldest first, including intervals in which nothing happened.</param>
public sealed record ThroughputSeries(string? Name, IReadOnlyList<ThroughputPoint> Points);
