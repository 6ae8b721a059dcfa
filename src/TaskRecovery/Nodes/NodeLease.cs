using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Nodes;

/// <summary>One unbroken stretch of time in which a node may work: from an accepted heartbeat until its own deadline. Once lost it never comes back; a later accepted heartbeat gives the same life a new one.</summary>
/// <remarks>What was claimed under a lease is started only while <see cref="IsValid"/>. Nothing has to have been cancelled for it to be false: it reads the clock, so that a process
/// that was stopped finds it expired on waking, before any thread of ours has run.</remarks>
[SuppressMessage("Reliability", "CA1001", Justification = "A token source without timer or wait handle holds nothing, and readers of its token may come late.")]
internal sealed class NodeLease
{
    private readonly CancellationTokenSource _lost = new();
    private readonly TimeProvider _time;
    private long _deadline;

    internal NodeLease(Node life, TimeProvider time, long deadline)
    {
        Node = life;
        _time = time;
        _deadline = deadline;
        Lost = _lost.Token;
    }

    /// <summary>The life it belongs to.</summary>
    public Node Node { get; }

    /// <summary>The node's id, which claims and outcomes are stored under.</summary>
    public Guid NodeId => Node.Id;

    /// <summary>Cancelled when the lease is lost, on a thread of its own: a starved thread pool does not delay it.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Whether the node may still start what it claimed under this lease, at this very moment.</summary>
    public bool IsValid => _time.GetTimestamp() < Volatile.Read(ref _deadline);

    /// <summary>The node's own deadline, as a timestamp of the time provider.</summary>
    internal long Deadline => Volatile.Read(ref _deadline);

    /// <summary>Moves the deadline; called under the life's lock and only while valid.</summary>
    internal void MoveDeadline(long deadline) => Volatile.Write(ref _deadline, deadline);

    /// <summary>Ends it. The token is cancelled on a thread made for it, because a callback that blocks must not hold up heartbeats or other tokens.</summary>
    internal void End()
    {
        Volatile.Write(ref _deadline, long.MinValue);
        new Thread(Fire) { IsBackground = true, Name = "TaskRecovery lease lost" }.UnsafeStart();
    }

    private void Fire()
    {
        try
        {
            _lost.Cancel();
        }
        catch (AggregateException)
        {
            // A callback of the user's threw. Every other callback has run; the lease is lost all the same.
        }
    }
}
