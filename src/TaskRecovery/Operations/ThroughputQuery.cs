namespace TaskRecovery;

/// <summary>A question to <see cref="IQueueMonitor.GetThroughputAsync"/>. Counts are kept by minute for a day and by hour for 90
/// days.</summary>
public sealed record ThroughputQuery
{
    /// <summary>The begin of the range; it is rounded down to a whole interval.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>The end of the range.</summary>
    public required DateTimeOffset To { get; init; }

    /// <summary>The length of an interval, in whole minutes.</summary>
    /// <value>Default: <see langword="null"/>: a minute for up to two hours, else an hour for up to seven days, else a day.</value>
    public TimeSpan? Bucket { get; init; }

    /// <summary>Whether to separate the counts.</summary>
    /// <value>Default: <see cref="ThroughputGrouping.None"/>.</value>
    public ThroughputGrouping By { get; init; }

    /// <summary>Counts only this queue; <see langword="null"/> for all queues.</summary>
    public string? Queue { get; init; }

    /// <summary>Counts only this kind; <see langword="null"/> for all kinds.</summary>
    public string? Kind { get; init; }
}
