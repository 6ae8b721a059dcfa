using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>What a node does on its own thread, one step at a time: open a session, register, heartbeat, judge the others. Not thread-safe: one thread, which may block.</summary>
/// <param name="store">Where sessions come from.</param>
/// <param name="events">Whom to tell.</param>
/// <param name="options">Beats and leases.</param>
/// <param name="describe">Makes the identity of a life from its id.</param>
/// <param name="time">The monotonic clock.</param>
/// <param name="logger">Told once per change of state.</param>
internal sealed class NodeAgent(
    IQueueStore store, INodeEvents events, NodeOptions options, Func<Guid, NodeIdentity> describe, TimeProvider time, ILogger logger)
{
    /// <summary>How long to wait after the first failure; it doubles up to the heartbeat interval.</summary>
    internal static readonly TimeSpan FirstBackoff = TimeSpan.FromMilliseconds(50);

    private INodeSession? _session;
    private PeerFailureDetector _watch = NewWatch(store.Traits, options, time);
    private LeaseDeadline _deadline = LeaseDeadline.For(store.Traits, options, time);
    private Node? _life;
    private Task<bool>? _probe;
    private bool _holdsLock;
    private bool _reconnected;
    private int _failures;

    /// <summary>How many nodes are alive, as the last heartbeat showed; this one is counted.</summary>
    public int NodesAlive { get; private set; }

    /// <summary>One step. Survives any error of the store.</summary>
    /// <returns>How long to wait before the next.</returns>
    public TimeSpan StepOnce()
    {
        try
        {
            if (_life is { End: not null })
            {
                // What this session holds belongs to a life that is over.
                CloseSession();
                _life = null;
            }

            var session = _session ??= OpenSession();
            if (_life is null)
            {
                Register(session);
            }
            else if (!_holdsLock && store.Traits.UsesSessionLocks)
            {
                _holdsLock = session.TryHold(_life.Id);
            }

            var sent = SendHeartbeat(session, _life!);
            if (_failures > 0)
            {
                logger.SessionBack(_failures);
                _failures = 0;
            }

            return _life!.End is null ? UntilNext(sent) : TimeSpan.Zero;
        }
#pragma warning disable CA1031 // The node lives on, whatever a store throws.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return Broken(exception);
        }
    }

    /// <summary>Says that the node stops, as far as the store can be told.</summary>
    public void Leave()
    {
        if (_life is { End: null } life && life.EndWith(NodeEnd.Left))
        {
            try
            {
                if (_session is null)
                {
                    logger.LeaveFailed(life.Id, null);
                }
                else
                {
                    _session.Leave(life.Id);
                    logger.NodeLeft(life.Id);
                }
            }
#pragma warning disable CA1031 // Leaving is a courtesy: without it the others wait for the lock or the lease.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                logger.LeaveFailed(life.Id, exception);
            }
        }

        CloseSession();
    }

    /// <summary>Ends the life without saying so: its tokens are cancelled, and others find out by the lock or the lease, which leaves handlers the time that they have after any lost lease.</summary>
    public void Abandon()
    {
        _life?.EndWith(NodeEnd.Left);
        if (_life is { } life && _session is { } session && store.Traits.LockProvesDeath)
        {
            // The others take what this node had as soon as its lock is free, without a grace: it is held until the last handler has returned, or the process ends.
            _session = null;
            life.WhenNothingRuns(() => Close(session));
            return;
        }

        CloseSession();
    }

    private static PeerFailureDetector NewWatch(StoreTraits traits, NodeOptions options, TimeProvider time)
        => new(traits, options.Lease, options.Grace, time.TimestampFrequency);

    private INodeSession OpenSession()
    {
        var session = store.OpenNodeSession();
        _watch = NewWatch(store.Traits, options, time);
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
        var life = new Node(identity.Id, registration.NameTaken ? identity.Id.ToString() : identity.Name, time);
        _life = life;
        events.Registered(life);
        if (registration.NameTaken)
        {
            logger.NameTaken(identity.Name, identity.Id);
        }

        logger.Joined(life.Name, life.Id, _holdsLock);
        if (registration.TakenOver.Count > 0)
        {
            logger.TookOver(registration.TakenOver.Count, string.Join(", ", registration.TakenOver));
            events.SweepDue();
        }
    }

    private long SendHeartbeat(INodeSession session, Node life)
    {
        var sent = time.GetTimestamp();
        _deadline = _deadline.Sending(sent, _holdsLock);
        events.Changed(life, life.MoveDeadline(_deadline.At));

        var result = session.SendHeartbeat(life.Id, _holdsLock, () => life.Lease is not null);

        var answered = time.GetTimestamp();
        if (!result.Accepted)
        {
            if (life.EndWith(NodeEnd.DeclaredDead))
            {
                logger.DeclaredDead(life.Id);
            }

            return sent;
        }

        _deadline = _deadline.Acknowledged(sent, _holdsLock);
        events.Changed(life, life.Extend(_deadline.At));
        if (_reconnected)
        {
            _reconnected = false;
            events.ReconcileDue();
        }

        NodesAlive = result.Peers.Count + 1;
        Judge(session, _watch.Observe(sent, answered, result.Peers), result.DeadWithClaims);
        return sent;
    }

    // On the very session that watched: after a server restart nothing that was seen before counts.
    private void Judge(INodeSession session, IReadOnlyList<DeathVerdict> verdicts, bool sweepDue)
    {
        var open = !verdicts.Any(verdict => verdict.ByGrace) || ServerAcceptsConnections();
        PeerHeartbeat[] judged = [.. verdicts.Where(verdict => open || !verdict.ByGrace).Select(verdict => verdict.Peer)];
        if (judged.Length > 0)
        {
            var dead = session.MarkDead(judged).ToHashSet();
            foreach (var peer in judged.Where(peer => dead.Contains(peer.NodeId)))
            {
                logger.DeclaredPeerDead(EntryText.Shown(peer.Name), peer.NodeId, peer.Heartbeat);
                sweepDue = true;
            }
        }

        if (sweepDue)
        {
            events.SweepDue();
        }
    }

    // A server that shuts down turns newcomers away while old sessions go on. A node that was turned away takes it that the server rejects all connections, and works on until its lease ends:
    // whoever is in already must not judge it by the grace period. Getting in may take seconds, which this node's own heartbeat must not wait for: then it is tried again with the next.
    private bool ServerAcceptsConnections()
    {
        if (_probe is { IsCompleted: false })
        {
            return false;
        }

        var probe = new TaskCompletionSource<bool>();
        _probe = probe.Task;
        new Thread(() => probe.SetResult(TryConnect())) { IsBackground = true, Name = "TaskRecovery probe" }.Start();
        return probe.Task.Wait(options.HeartbeatInterval / 2) && probe.Task.Result;
    }

    private bool TryConnect()
    {
        try
        {
            store.OpenNodeSession().Dispose();
            return true;
        }
#pragma warning disable CA1031 // Whatever it is: we have not got in.
        catch (Exception)
#pragma warning restore CA1031
        {
            return false;
        }
    }

    private TimeSpan UntilNext(long sent)
    {
        var next = options.HeartbeatInterval - time.GetElapsedTime(sent);
        if (_watch.NextDecision(sent) is { } decision)
        {
            var untilDecision = time.GetElapsedTime(time.GetTimestamp(), decision);
            next = untilDecision < next ? untilDecision : next;
        }

        return next > TimeSpan.Zero ? next : TimeSpan.Zero;
    }

    private TimeSpan Broken(Exception exception)
    {
        if (_failures++ == 0)
        {
            logger.SessionBroken(exception);
        }

        if (_life is { End: null } life && store.Traits.IsServerRejectingAll(exception))
        {
            _deadline = _deadline.ServerRejectsAll();
            events.Changed(life, life.MoveDeadline(_deadline.At));
        }

        CloseSession();
        NodesAlive = 0;
        var backoff = FirstBackoff * Math.Pow(2, Math.Min(_failures - 1, 16));
        return backoff < options.HeartbeatInterval ? backoff : options.HeartbeatInterval;
    }

    private void CloseSession()
    {
        var session = _session;
        _session = null;
        _holdsLock = false;
        Close(session);
    }

    private static void Close(INodeSession? session)
    {
        try
        {
            session?.Dispose();
        }
#pragma warning disable CA1031 // It is over either way.
        catch (Exception)
#pragma warning restore CA1031
        {
            // A broken session may not even close.
        }
    }
}

/// <summary>What the node's thread tells.</summary>
internal interface INodeEvents
{
    /// <summary>A life began; it has no lease yet.</summary>
    void Registered(Node life);

    /// <summary>Its deadline has moved, and this came of it.</summary>
    void Changed(Node life, LeaseChange change);

    /// <summary>Some dead node has claims.</summary>
    void SweepDue();

    /// <summary>The session is new: answers may have been lost.</summary>
    void ReconcileDue();
}
