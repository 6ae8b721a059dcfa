using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The depth and age of a queue.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Due">The number of due entries. A store may stop counting at 100,000.</param>
/// <param name="OldestAge">How long the oldest of them has been due.</param>
[Experimental("TASKRECOVERY001")]
public sealed record QueueDepth(string Queue, long Due, TimeSpan OldestAge)
{
    /// <summary>How many other queues the measurement skipped, because there are more than a store measures at once; the same for all
    /// queues of a measurement. A store may stop counting at 100,000.</summary>
    public long QueuesSkipped { get; init; }
}
