namespace TaskRecovery;

/// <summary>Counts over time.</summary>
/// <param name="Bucket">The length of an interval.</param>
/// <param name="Series">The series, ordered by name.</param>
public sealed record Throughput(TimeSpan Bucket, IReadOnlyList<ThroughputSeries> Series);
