using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A node's session: its row, its file lock, and its heartbeats, which are counted in a file and normally only read the
/// database.</summary>
/// <remarks>A heartbeat is stored, through the single writer and in its turn, only if the file is not sufficient: the lease has expired,
/// the state of the node's lock has changed, or the file cannot be written by this node or read by another one.</remarks>
internal sealed partial class SqliteNodeSession(SqliteDatabase database) : INodeSession
{
    // How long a node stores its heartbeats because another one could not read its file, before it tries the file again. If the file still
    // can't be read, the other node asks again.
    private static readonly TimeSpan FileAgain = TimeSpan.FromMinutes(10);

    private readonly Dictionary<Guid, FileStream> _held = [];
    private readonly HashSet<Guid> _unreadable = [];
    private readonly PeerFiles _peers = new(database.Heartbeats, database.Locks, database.LockPath);
    private OwnFiles? _own;
    private SqliteSession? _reader;
    private Alive? _alive;
    private long _counter;
    private long? _storesSince;
    private bool _isBroken;
    private bool _hasWarned;

    public NodeRegistration Register(NodeIdentity identity)
    {
        // Create the lock and the counter first: another node that sees the row may check them at once.
        var holdsLock = Take(identity.Id);
        try
        {
            Own(identity.Id).TryRaise(ref _counter, vitals: null);
            var (nameTaken, takenOver) = database.Write(session => Store(session, identity, holdsLock), relaxed: false);
            takenOver.ForEach(database.Locks.Remove);
            return new NodeRegistration(holdsLock, nameTaken, takenOver);
        }
        catch (Exception exception)
        {
            // Nothing runs under this id. If the row was stored after all, because the result of the commit is unknown, the next
            // registration of this process or the other nodes declare it dead.
            Release(identity.Id);
            database.Locks.Remove(identity.Id);
            if (exception.InnerException is CommitUnknownException or FileReplacedException)
            {
                database.Locks.AddUnknown(identity.Id);
            }

            throw;
        }
    }

    public bool TryHold(Guid nodeId) => _held.ContainsKey(nodeId) ? Works(nodeId) : TakeAgain(nodeId);

    public HeartbeatResult SendHeartbeat(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
        => Guarded(() =>
        {
            // If this node's own lock does not exclude other handles, locks do not work here, and a free lock of a peer proves nothing.
            var works = Works(nodeId);
            database.ConfirmFile();
            var alive = ReadAlive();
            var saysItHoldsLock = holdsLock && works;
            var accepted = alive.Nodes.TryGetValue(nodeId, out var own)
                && Send(own, saysItHoldsLock, isLeaseValid, vitals);
            return new HeartbeatResult(accepted, ReadPeers(alive, nodeId, works), alive.DeadWithClaims);
        });

    public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null) => Guarded(() =>
    {
        List<Guid> dead;
        try
        {
            dead = database.Write(session
                => judged.Where(peer => Judge(session, peer, judge)).Select(peer => peer.NodeId).ToList(), relaxed: false,
                database.VerdictWait);
        }
        catch (StoreUnavailableException)
        {
            return [];
        }

        dead.ForEach(database.Locks.Remove);
        return (IReadOnlyList<Guid>)dead;
    });

    public void Leave(Guid nodeId)
    {
        Guarded(() => database.Write(session => Leave(session, nodeId), relaxed: false));
        Release(nodeId);
        database.Locks.Remove(nodeId);
    }

    public void Abort()
    {
        _isBroken = true;
        Dispose();
    }

    public void Dispose()
    {
        foreach (var (nodeId, held) in _held)
        {
            // After a broken session, the same process opens another one. Its lock must not look free meanwhile, because a free lock would
            // prove that the node is dead.
            if (_isBroken)
            {
                database.Locks.Keep(nodeId, held);
            }
            else
            {
                held.Dispose();
            }
        }

        _held.Clear();
        _peers.Dispose();
        _own?.Dispose();
        _reader?.Dispose();
    }

    private (bool NameTaken, List<Guid> TakenOver) Store(SqliteSession session, NodeIdentity identity, bool holdsLock)
    {
        var namesakes = new List<(Guid Id, bool SaysItHoldsLock)>();
        var statement = session.Get(NodeSql.SameName).Bind(1, identity.Name);
        while (statement.Step())
        {
            namesakes.Add((statement.Guid(0), statement.Boolean(1)));
        }

        var now = database.Now();
        var gone = namesakes.Where(node => database.Locks.IsUnknown(node.Id)
            || (holdsLock && node.SaysItHoldsLock && !database.Locks.IsHeld(node.Id))).Select(node => node.Id).ToList();
        foreach (var node in gone)
        {
            var vitals = database.Heartbeats.TryReadVitals(node);
            session.Get(NodeSql.MarkGone).Bind(1, node).Bind(2, now).Bind(3, (int)DeathProof.ProcessGone).Bind(4, identity.Name)
                .Bind(5, vitals).Bind(6, StoredVitals.WithStepOf(vitals, 0)).Execute();
            EventWriter.Add(session, now, new NewEvent(QueueEventKind.NodeDied)
            {
                Node = identity.Name,
                Detail = EventWriter.Describe(DeathProof.ProcessGone, identity.Name),
            });
        }

        var nameTaken = namesakes.Count > gone.Count;
        session.Get(NodeSql.Insert)
            .Bind(1, identity.Id).Bind(2, identity.Name).Bind(3, !nameTaken).Bind(4, identity.NameIsExplicit)
            .Bind(5, identity.Machine).Bind(6, identity.ProcessId).Bind(7, identity.ProcessStarted).Bind(8, holdsLock).Bind(9, now)
            .Bind(10, identity.Info)
            .Execute();
        EventWriter.Add(
            session, now, new NewEvent(QueueEventKind.NodeJoined) { Node = nameTaken ? identity.Id.ToString() : identity.Name });
        return (nameTaken, gone);
    }

    // The row was read before the counter was incremented, and the lease is checked after it, so no verdict can have been reached in
    // between (docs/protocol, FILE_COUNTER).
    private bool Send(AliveNode own, bool holdsLock, Func<bool>? isLeaseValid, string? vitals)
    {
        var isCounted = Own(own.Id).TryRaise(ref _counter, vitals);
        var fileIsDue = IsFileDue(own);
        if (isCounted && !own.StoresHeartbeats && own.SaysItHoldsLock == holdsLock && isLeaseValid is not null && isLeaseValid())
        {
            return true;
        }

        var again = isCounted && fileIsDue;
        var accepted = Store(own.Id, holdsLock, again ? NodeSql.HeartbeatAndFileAgain : NodeSql.Heartbeat);
        if (again)
        {
            // Another node may set the mark again before the next heartbeat, which would otherwise remove it at once.
            _storesSince = null;
        }

        return accepted;
    }

    private bool Store(Guid nodeId, bool holdsLock, string statement)
        => database.Write(
            session => session.Get(statement).Bind(1, nodeId).Bind(2, holdsLock).Bind(3, database.Now()).ExecuteChanges() > 0,
            relaxed: true,
            database.HeartbeatWait);

    // Whether the heartbeats have been stored for long enough because another node could not read this node's file.
    private bool IsFileDue(AliveNode own)
    {
        if (!own.StoresHeartbeats)
        {
            _storesSince = null;
            return false;
        }

        if (_storesSince is { } since)
        {
            return database.Time.GetElapsedTime(since) >= FileAgain;
        }

        _storesSince = database.Time.GetTimestamp();
        database.Logger.OwnFileIsUnreadable(database.Heartbeats.PathOf(own.Id), FileAgain);
        return false;
    }

    private bool Judge(SqliteSession session, PeerHeartbeat peer, string? judge)
    {
        var now = database.Now();
        var inFile = database.Heartbeats.TryRead(peer.NodeId) ?? _peers.TryReadKept(peer.NodeId);
        var vitals = database.Heartbeats.TryReadVitals(peer.NodeId);
        if (session.Get(NodeSql.StoredHeartbeat).Bind(1, peer.NodeId).Scalar() is not { } stored
            || Counter(stored, inFile) != peer.Heartbeat
            || (inFile is null && AskToStore(session, peer.NodeId))
            || session.Get(NodeSql.MarkDead).Bind(1, peer.NodeId).Bind(2, stored).Bind(3, now).Bind(4, (int)peer.Proof).Bind(5, judge)
                .Bind(6, vitals).Bind(7, StoredVitals.WithStepOf(vitals, 0)).ExecuteChanges() == 0)
        {
            return false;
        }

        EventWriter.Add(session, now, new NewEvent(QueueEventKind.NodeDied)
        {
            Node = LabelOf(session, peer.NodeId),
            Detail = EventWriter.Describe(peer.Proof, judge),
        });
        return true;
    }

    private int Leave(SqliteSession session, Guid nodeId)
    {
        var now = database.Now();
        var left = session.Get(NodeSql.Leave).Bind(1, nodeId).Bind(2, now).ExecuteChanges();
        if (left > 0)
        {
            EventWriter.Add(session, now, new NewEvent(QueueEventKind.NodeLeft) { Node = LabelOf(session, nodeId) });
        }

        return left;
    }

    private static string LabelOf(SqliteSession session, Guid nodeId)
    {
        var statement = session.Get(NodeSql.Name).Bind(1, nodeId);
        var name = statement.Step() && statement.Boolean(1) ? statement.Text(0) : nodeId.ToString();
        statement.Reset();
        return name;
    }

    private List<PeerHeartbeat> ReadPeers(Alive alive, Guid nodeId, bool ownLockWorks)
    {
        _peers.KeepOnly(alive.Ids);
        _unreadable.IntersectWith(alive.Ids);
        var peers = new List<PeerHeartbeat>(alive.Nodes.Count);
        foreach (var node in alive.Nodes.Values)
        {
            if (node.Id != nodeId && ReadPeer(node, ownLockWorks) is { } peer)
            {
                peers.Add(peer);
            }
        }

        if (_peers.TakeBeginOfShortage())
        {
            database.Logger.TooManyOpenFiles(database.Path);
        }

        return peers;
    }

    // Returns null if nothing can be said of the node at the moment, so that it is not judged.
    private PeerHeartbeat? ReadPeer(AliveNode node, bool ownLockWorks)
    {
        if (_peers.Check(node.Id) is not { } seen)
        {
            return null;
        }

        var (counter, isUnreadable, lockIsHeld) = seen;
        if (!isUnreadable)
        {
            _unreadable.Remove(node.Id);
        }
        else if (!node.StoresHeartbeats)
        {
            // Ask before each verdict that could be based on this check. See docs/decisions/0027-heartbeats-in-files.md.
            database.Post(session => AskToStore(session, node.Id));
            if (_unreadable.Add(node.Id))
            {
                database.Logger.PeerFileIsUnreadable(database.Heartbeats.PathOf(node.Id), node.Id);
            }
        }

        return new PeerHeartbeat(
            node.Id, node.Name, Counter(node.StoredHeartbeats, counter), node.SaysItHoldsLock, !ownLockWorks || lockIsHeld);
    }

    // Returns whether the node had not been asked before. Then it may have sent heartbeats that no other node can see.
    private static bool AskToStore(SqliteSession session, Guid nodeId)
        => session.Get(NodeSql.AskToStore).Bind(1, nodeId).ExecuteChanges() > 0;

    // Combines both counters into one number that changes with each of them.
    private static long Counter(long stored, long? inFile) => (stored << 32) + (uint)(inFile ?? 0);

    // Reads nothing unless another connection has committed.
    private Alive ReadAlive()
    {
        var session = _reader ??= database.OpenReader();
        var version = session.ReadDataVersion();
        if (_alive is { } last && last.Version == version)
        {
            return last;
        }

        var nodes = new Dictionary<Guid, AliveNode>();
        session.Get("begin").Execute();
        var statement = session.Get(NodeSql.Alive);
        while (statement.Step())
        {
            var id = statement.Guid(0);
            nodes.Add(id, new AliveNode(
                id, NodeRules.Label(statement.Text(1), statement.Boolean(2), id),
                statement.Int64(3), statement.Boolean(4), statement.Boolean(5)));
        }

        var deadWithClaims = session.Get(NodeSql.AnyDeadWithClaims).Exists();
        session.Commit();
        return _alive = new Alive(version, nodes, nodes.Keys.ToHashSet(), deadWithClaims);
    }

    private OwnFiles Own(Guid nodeId)
    {
        if (_own?.NodeId != nodeId)
        {
            _own?.Dispose();
            _own = new OwnFiles(nodeId, database.Heartbeats, database.Locks, database.LockPath);
        }

        return _own;
    }

    private void Release(Guid nodeId)
    {
        _own?.Dispose();
        _own = null;
        if (_held.Remove(nodeId, out var held))
        {
            held.Dispose();
        }
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch
        {
            _isBroken = true;
            throw;
        }
    }

    private sealed record Alive(long Version, Dictionary<Guid, AliveNode> Nodes, HashSet<Guid> Ids, bool DeadWithClaims);

    /// <summary>A node that is not dead.</summary>
    /// <param name="Id">The node.</param>
    /// <param name="Name">Its label.</param>
    /// <param name="StoredHeartbeats">The number of its stored heartbeats.</param>
    /// <param name="SaysItHoldsLock">Whether it last reported that it holds its lock.</param>
    /// <param name="StoresHeartbeats">Whether it must store its heartbeats, because another node cannot read its file.</param>
    private sealed record AliveNode(Guid Id, string Name, long StoredHeartbeats, bool SaysItHoldsLock, bool StoresHeartbeats);
}
