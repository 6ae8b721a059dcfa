using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Testing.Hosts;

/// <summary>This process as a node without threads: its lease has no deadline, because no other node watches it.</summary>
internal sealed class TestNode
{
    private readonly IStoreLifecycle _store;
    private readonly INodeSession _session;
    private readonly bool _holdsLock;
    private bool _isClosed;

    private TestNode(IStoreLifecycle store, INodeSession session, Node node, NodeLease lease, bool holdsLock)
    {
        _store = store;
        _session = session;
        Node = node;
        Lease = lease;
        _holdsLock = holdsLock;
    }

    public Node Node { get; }

    public NodeLease Lease { get; }

    /// <summary>Registers a new node.</summary>
    public static TestNode Join(IStoreLifecycle store, NodeNaming naming, TimeProvider time)
    {
        var session = store.OpenNodeSession();
        try
        {
            var identity = naming.Describe(Guid.NewGuid());
            var registration = session.Register(identity);
            var node = new Node(identity.Id, identity.Name, time);
            node.Extend(long.MaxValue);
            return new TestNode(store, session, node, node.Lease!, registration.HoldsLock);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Declares a killed node dead, as any other node would after it has watched it for a while.</summary>
    public void DeclareDead(Guid killed)
    {
        // Each pass sees the latest heartbeat. Registering may have declared it dead already, because its lock is free.
        while (_session.SendHeartbeat(Node.Id, _holdsLock, static () => true).Peers.Where(peer => peer.NodeId == killed).ToArray()
            is { Length: > 0 } peers)
        {
            _session.MarkDead(peers);
        }
    }

    /// <summary>Ends the session as the end of a process does: its lock is free, and nothing is stored.</summary>
    public void Kill() => Close();

    /// <summary>Leaves, as a host does that stops.</summary>
    public void Leave()
    {
        if (_isClosed)
        {
            return;
        }

        try
        {
            _session.Leave(Node.Id);
        }
        catch
        {
            CloseBroken();
            throw;
        }

        Close();
    }

    // After a broken session, the store keeps the lock for the next session, which is the only one that can release it. The next node of
    // this test takes over the entries of this one only if the lock is free.
    private void CloseBroken()
    {
        try
        {
            Close();
            if (_store.Traits.LockProvesDeath)
            {
                using var next = _store.OpenNodeSession();
                next.TryHold(Node.Id);
            }
        }
#pragma warning disable CA1031 // The error of the leave must not be replaced by this one.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The lock ends with the process.
        }
    }

    private void Close()
    {
        _isClosed = true;
        _session.Dispose();
    }
}
