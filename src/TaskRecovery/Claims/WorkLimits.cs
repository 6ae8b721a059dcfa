namespace TaskRecovery.Claims;

/// <summary>Limits that are no options. Only tests register others: a machine that stands still for seconds must not fail them.</summary>
internal sealed record WorkLimits
{
    /// <summary>How long a stop waits for handlers that react to their cancellation, after
    /// <see cref="TaskRecoveryOptions.ShutdownTimeout"/>.</summary>
    public TimeSpan CancelTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a stop then needs at most to store the remaining outcomes.</summary>
    public TimeSpan FlushTime { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>After this time in the buffer, an entry is released to the queue, where other nodes can claim it.</summary>
    public TimeSpan LongestBuffered { get; init; } = TimeSpan.FromSeconds(5);
}
