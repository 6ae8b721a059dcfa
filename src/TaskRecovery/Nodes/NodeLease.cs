using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>An uninterrupted period in which a node may run entries: from an accepted heartbeat until the deadline. A lost lease never
/// becomes valid again; a later accepted heartbeat grants the node a new one.</summary>
/// <remarks>An entry starts only while the lease under which it was claimed <see cref="IsValid"/>. That property reads the clock and does
/// not depend on any cancellation, so a process resumed after SIGSTOP finds the lease expired before any of its threads has
/// reacted.</remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A token source without timer or wait handle holds nothing, "
    + "and readers of its token may come late.")]
internal sealed class NodeLease
{
    private readonly CancellationTokenSource _lost = new();
    private readonly TimeProvider _time;
    private long _deadline;

    internal NodeLease(Node node, TimeProvider time, long deadline)
    {
        Node = node;
        _time = time;
        _deadline = deadline;
        Lost = _lost.Token;
    }

    /// <summary>The node that holds it.</summary>
    public Node Node { get; }

    /// <summary>The node's id, under which claims and outcomes are stored.</summary>
    public Guid NodeId => Node.Id;

    /// <summary>Cancelled when the lease is lost, on a dedicated thread, so that a starved thread pool does not delay it.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Whether the node may start an entry now that it claimed under this lease.</summary>
    public bool IsValid => _time.GetTimestamp() < Volatile.Read(ref _deadline);

    /// <summary>The token for a write that must not be stored after this lease is lost; <see cref="CancellationToken.None"/> if the store
    /// can't withdraw a queued write.</summary>
    public CancellationToken WhileQueued(StoreTraits traits) => traits.TakesBackQueuedWrites ? Lost : CancellationToken.None;

    /// <summary>The deadline, as a timestamp of the time provider.</summary>
    internal long Deadline => Volatile.Read(ref _deadline);

    /// <summary>Starts the thread that cancels the token. Only tests set it.</summary>
    internal Action<Thread>? StartThread { get; set; }

    /// <summary>Moves the deadline. Called under the node's lock, and only while the lease is valid.</summary>
    internal void MoveDeadline(long deadline) => Volatile.Write(ref _deadline, deadline);

    /// <summary>Ends the lease. The token is cancelled on a new thread, because a blocking callback must not delay heartbeats or other
    /// cancellations; if no thread can be started, on the thread pool.</summary>
    internal void End()
    {
        Volatile.Write(ref _deadline, long.MinValue);
        if (!OwnThread.TryStart(Cancel, "TaskRecovery lease lost", StartThread))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static lease => lease.Cancel(), this, preferLocal: false);
        }
    }

    private void Cancel()
    {
        try
        {
            _lost.Cancel();
        }
        catch (AggregateException)
        {
            // A callback registered by user code threw. All other callbacks have run, and the lease is lost anyway.
        }
    }
}
