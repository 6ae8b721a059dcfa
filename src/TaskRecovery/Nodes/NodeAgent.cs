using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Does a node's work on its dedicated thread, one step at a time: opens a session, registers, sends heartbeats,
/// asks the detector which peers are dead, and stores its verdicts. Not thread-safe; its methods may block.</summary>
/// <param name="store">Opens the sessions.</param>
/// <param name="events">Is notified of registrations and lease changes.</param>
/// <param name="options">The heartbeat interval, the lease and the grace period.</param>
/// <param name="describe">Returns the identity of a new registration for its id.</param>
/// <param name="time">The monotonic clock.</param>
/// <param name="outages">Reports failed steps.</param>
/// <param name="logger">Logs what happens to the node.</param>
/// <param name="vitals">Describes the state of this process for each heartbeat.</param>
/// <param name="hints">Decides whether this node listens for hints.</param>
internal sealed class NodeAgent(
    IStoreLifecycle store, INodeEvents events, NodeOptions options, Func<Guid, NodeIdentity> describe,
    TimeProvider time, OutageReporter outages, ILogger logger, INodeVitals? vitals = null, IHintTurns? hints = null)
{
    // A node without a session loses its lease soon, so the first attempts follow each other quickly.
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(50), options.HeartbeatInterval);

    // The health check reports a missing lease, which is what a missing session leads to.
    private readonly LoopHealth _health = outages.Watch("the node's session", isListed: false);
    private INodeSession? _session;
    private PeerFailureDetector _detector = NewDetector(store.Traits, options, time);
    private PeerReads _peerReads = new(options);
    private long _peersReadAt;
    private LeaseDeadline _deadline = LeaseDeadline.For(store.Traits, options, time);
    private Node? _node;
    private Task<bool>? _probe;
    private bool _holdsLock;
    private bool _reconnected;

    /// <summary>How many nodes were alive at the last heartbeat, including this one.</summary>
    public int NodesAlive { get; private set; }

    /// <summary>Does one step. Never throws.</summary>
    /// <returns>How long to wait before the next step.</returns>
    public TimeSpan StepOnce()
    {
        try
        {
            if (_node is { End: not null } ended)
            {
                // The locks of this session belong to the registration that has ended.
                Release(ended);
                _node = null;
            }

            var session = _session ??= OpenSession();
            if (_node is null)
            {
                Register(session);
            }
            else if (!_holdsLock && store.Traits.UsesSessionLocks)
            {
                _holdsLock = session.TryHold(_node.Id);
            }

            var sent = SendHeartbeat(session, _node!);
            _health.Succeeded();
            return _node!.End is null ? UntilNext(sent) : TimeSpan.Zero;
        }
#pragma warning disable CA1031 // Whatever a store throws, the node retries.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Broken(exception);
        }
    }

    /// <summary>Records in the store that the node leaves, if its session allows that, and closes the session.</summary>
    public void Leave()
    {
        if (_node is { End: null } node && node.EndWith(NodeEnd.Left) && HasLeft(node))
        {
            CloseSession();
            return;
        }

        Release(_node);
    }

    /// <summary>Ends the registration without recording it. Its handlers are cancelled, and the other nodes find out by the lock or the
    /// lease, so the handlers have the same time as after a lost lease.</summary>
    public void Abandon()
    {
        _node?.EndWith(NodeEnd.Left);
        Release(_node);
    }

    private bool HasLeft(Node node)
    {
        try
        {
            if (_session is null)
            {
                logger.LeaveFailed(node.Id, null);
                return false;
            }

            _session.Leave(node.Id);
            logger.NodeLeft(node.Id);
            return true;
        }
#pragma warning disable CA1031 // Leaving is optional: if it fails, the other nodes wait for the lock or the lease.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            logger.LeaveFailed(node.Id, exception);
            CloseSession();
            return false;
        }
    }

    // Closes the session of a registration that has ended. If a free lock proves a death, other nodes take its entries as soon as the lock
    // is free, without a grace period. So hold the lock until the last handler has returned or the process exits.
    private void Release(Node? node)
    {
        if (node is null || node.End == NodeEnd.DeclaredDead || !store.Traits.LockProvesDeath)
        {
            CloseSession();
            return;
        }

        var session = _session ?? TryHoldAgain(node);
        _session = null;
        _holdsLock = false;
        node.WhenNothingRuns(() => Close(session));
    }

    // After a broken session, the store keeps the lock for the next session, which is the only one that can release it.
    private INodeSession? TryHoldAgain(Node node)
    {
        INodeSession? session = null;
        try
        {
            session = store.OpenNodeSession();
            session.TryHold(node.Id);
        }
#pragma warning disable CA1031 // Whatever a store throws: without the lock there is nothing to hold.
        catch (Exception)
#pragma warning restore CA1031
        {
            // The lock ends with the process.
        }

        return session;
    }

    private static PeerFailureDetector NewDetector(StoreTraits traits, NodeOptions options, TimeProvider time)
        => new(traits, options.Lease, options.Grace, time.TimestampFrequency);

    private INodeSession OpenSession()
    {
        var session = store.OpenNodeSession();
        _detector = NewDetector(store.Traits, options, time);
        _peerReads = new PeerReads(options);
        _holdsLock = false;
        _reconnected = true;
        return session;
    }

    private void Register(INodeSession session)
    {
        var identity = describe(Guid.NewGuid());
        var registration = session.Register(identity);
        _holdsLock = registration.HoldsLock;
        _deadline = LeaseDeadline.For(store.Traits, options, time);
        var node = new Node(identity.Id, registration.NameTaken ? identity.Id.ToString() : identity.Name, time);
        _node = node;
        events.Registered(node);
        if (registration.NameTaken)
        {
            logger.NameTaken(identity.Name, identity.Id);
        }

        logger.Joined(node.Name, node.Id, _holdsLock);
        if (registration.TakenOver.Count > 0)
        {
            logger.TookOver(registration.TakenOver.Count, string.Join(", ", registration.TakenOver));
            events.SweepDue();
        }
    }

    private string? DescribeVitals()
    {
        try
        {
            return vitals?.Describe();
        }
#pragma warning disable CA1031 // A heartbeat must not fail because the state of the process can't be read.
        catch (Exception)
#pragma warning restore CA1031
        {
            return null;
        }
    }

    private long SendHeartbeat(INodeSession session, Node node)
    {
        var sent = time.GetTimestamp();
        _deadline = _deadline.Sending(sent, _holdsLock);
        events.Changed(node, node.MoveDeadline(_deadline.At));

        var decides = _detector.NextDecision(_peersReadAt) is { } decision && decision <= sent;
        var result = _peerReads.Next(NodesAlive, decides)
            ? session.SendHeartbeat(node.Id, _holdsLock, () => node.Lease is not null, DescribeVitals(), hints?.Offer())
            : session.SendHeartbeatOnly(node.Id, _holdsLock, () => node.Lease is not null, DescribeVitals(), hints?.Offer());

        var answered = time.GetTimestamp();
        if (!result.Accepted)
        {
            if (node.EndWith(NodeEnd.DeclaredDead))
            {
                logger.DeclaredDead(node.Id);
            }

            return sent;
        }

        _deadline = _deadline.Acknowledged(sent, _holdsLock);
        events.Changed(node, node.Extend(_deadline.At));
        if (_reconnected)
        {
            _reconnected = false;
            events.ReconcileDue();
        }

        if (result.HasPeers)
        {
            _peersReadAt = sent;
            NodesAlive = result.Peers.Count + 1;
            hints?.Observe(result.Place, result.Peers);
            Judge(session, _detector.Observe(sent, answered, result.Peers));
        }

        if (result.DeadWithClaims)
        {
            events.DeadNodeReported();
        }

        return sent;
    }

    // Uses the session that observed the peers: after a server restart, earlier observations no longer count.
    private void Judge(INodeSession session, IReadOnlyList<DeathVerdict> verdicts)
    {
        var open = !verdicts.Any(verdict => verdict.ByGrace) || ServerAcceptsConnections();
        if (verdicts.Count > 0)
        {
            _peerReads.Repeat();
        }

        PeerHeartbeat[] judged = [.. verdicts.Where(verdict => open || !verdict.ByGrace).Select(verdict => verdict.Peer)];
        if (judged.Length > 0)
        {
            var dead = session.MarkDead(judged, _node?.Name).ToHashSet();
            var sweepDue = false;
            foreach (var peer in judged.Where(peer => dead.Contains(peer.NodeId)))
            {
                logger.DeclaredPeerDead(EntryText.Shown(peer.Name), peer.NodeId, DeathProofText.Of(peer.Proof), peer.Heartbeat);
                sweepDue = true;
            }

            if (sweepDue)
            {
                events.SweepDue();
            }
        }
    }

    // While shutting down, PostgreSQL rejects new connections but keeps existing sessions. A rejected node assumes that no other node
    // can connect and keeps working until its lease expires. Before using the grace period against it, prove that the server accepts new
    // connections.
    // Connecting may take seconds, and this node's heartbeats must not wait for it: if it takes too long, it counts as a failure, and the
    // probe is repeated with a later heartbeat.
    private bool ServerAcceptsConnections()
    {
        if (_probe is { IsCompleted: false })
        {
            return false;
        }

        var probe = new TaskCompletionSource<bool>();
        if (!OwnThread.TryStart(() => probe.SetResult(TryConnect()), "TaskRecovery probe"))
        {
            return false;
        }

        _probe = probe.Task;
        return probe.Task.Wait(options.HeartbeatInterval / 2) && probe.Task.Result;
    }

    private bool TryConnect()
    {
        try
        {
            store.OpenNodeSession().Dispose();
            return true;
        }
#pragma warning disable CA1031 // Whatever the error, the connection was not accepted.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    private TimeSpan UntilNext(long sent)
    {
        var next = options.HeartbeatInterval - time.GetElapsedTime(sent);
        if (_detector.NextDecision(sent) is { } decision)
        {
            var untilDecision = time.GetElapsedTime(time.GetTimestamp(), decision);
            next = untilDecision < next ? untilDecision : next;
        }

        return next > TimeSpan.Zero ? next : TimeSpan.Zero;
    }

    private TimeSpan Broken(Exception exception)
    {
        _health.Failed(exception);
        if (_node is { End: null } node && store.Traits.IsServerRejectingAll(exception))
        {
            _deadline = _deadline.ServerRejectsAll();
            events.Changed(node, node.MoveDeadline(_deadline.At));
        }

        // The error may have come from elsewhere than the session.
        CloseSession(isBroken: true);
        NodesAlive = 0;
        return _backoff.After(_health.Failures);
    }

    private void CloseSession(bool isBroken = false)
    {
        var session = _session;
        _session = null;
        _holdsLock = false;
        Close(session, isBroken);
    }

    private static void Close(INodeSession? session, bool isBroken = false)
    {
        try
        {
            if (isBroken)
            {
                session?.Abort();
            }
            else
            {
                session?.Dispose();
            }
        }
#pragma warning disable CA1031 // The session is discarded either way.
        catch (Exception)
#pragma warning restore CA1031
        {
            // A broken session may fail to close.
        }
    }
}

/// <summary>Receives the events of the node's thread.</summary>
internal interface INodeEvents
{
    /// <summary>The process has registered as a node, which has no lease yet.</summary>
    void Registered(Node node);

    /// <summary>The node's deadline has moved; <paramref name="change"/> says how that changed its lease.</summary>
    void Changed(Node node, LeaseChange change);

    /// <summary>A node was declared dead, whose claims are to be recovered.</summary>
    void SweepDue();

    /// <summary>A heartbeat has found that a dead node has claims. It may have found the same many times.</summary>
    void DeadNodeReported();

    /// <summary>The session is new, so answers of earlier calls may have been lost.</summary>
    void ReconcileDue();
}
