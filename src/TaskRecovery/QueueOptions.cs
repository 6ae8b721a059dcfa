namespace TaskRecovery;

/// <summary>The options of one queue in this process.</summary>
public sealed class QueueOptions
{
    /// <summary>The number of entries that this process runs concurrently.</summary>
    /// <value>Default: 20. 1 to 10,000.</value>
    public int Concurrency { get; set; } = 20;

    /// <summary>The number of entries claimed in advance, so that executors do not wait for the store. Other nodes can't run these entries
    /// until this node has run or released them, or has died.</summary>
    /// <value>Default: <see langword="null"/>, which means as many as this process finishes in 100 ms, but at most 2,000. 0 to
    /// 10,000.</value>
    public int? Prefetch { get; set; }
}
