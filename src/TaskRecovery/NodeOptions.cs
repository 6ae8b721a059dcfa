namespace TaskRecovery;

/// <summary>Heartbeat and lease settings of a node.</summary>
public sealed class NodeOptions
{
    /// <summary>How long a node may go without a heartbeat before other nodes take over its work, if nothing else proves that it is
    /// dead.</summary>
    /// <value>Default: 15 seconds. 5 seconds to 10 minutes, and at least 3 seconds longer than two heartbeat intervals, because a node
    /// cancels its own handlers before its lease expires.</value>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a node may go without a heartbeat before other nodes take over its work, if its session lock was held before and
    /// is now free.</summary>
    /// <value>Default: 2.75 seconds. At least half a second longer than two heartbeat intervals, and shorter than the lease.</value>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMilliseconds(2750);

    /// <summary>The interval between heartbeats.</summary>
    /// <value>Default: 1 second. 100 milliseconds to 1 minute.</value>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(1);
}
