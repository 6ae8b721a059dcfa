using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A node's life: its row, the lock on its own file, and its heartbeats, which are counted in a file too and only read the database.</summary>
/// <remarks>A heartbeat is stored, through the one writer in its turn, where the file alone would not do: the lease has passed, what it says of its lock has changed, or the
/// file cannot be written here or read by another node.</remarks>
internal sealed class SqliteNodeSession(SqliteDatabase database) : INodeSession
{
    // A heartbeat that has to be stored, and a verdict, wait no longer for the write lock: this node's own next heartbeat waits behind them. Both are tried again then.
    private static readonly TimeSpan StoreWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan VerdictWait = TimeSpan.FromSeconds(0.5);

    private readonly Dictionary<Guid, FileStream> _held = [];
    private readonly PeerFiles _peers = new(database.Heartbeats, database.Locks, database.LockPath);
    private SqliteSession? _reader;
    private Alive? _alive;
    private long _counter;
    private bool _isBroken;
    private bool _hasWarned;

    public NodeRegistration Register(NodeIdentity identity)
    {
        // The lock and the counter first: another node that sees the row may look at them at once.
        var holdsLock = Take(identity.Id);
        try
        {
            database.Heartbeats.TryRaise(identity.Id, ref _counter);
            var (nameTaken, takenOver) = database.Write(session => Store(session, identity, holdsLock), relaxed: false);
            takenOver.ForEach(database.Locks.Remove);
            return new NodeRegistration(holdsLock, nameTaken, takenOver);
        }
        catch
        {
            // Nobody knows of it yet.
            Release(identity.Id);
            database.Locks.Remove(identity.Id);
            throw;
        }
    }

    public bool TryHold(Guid nodeId) => _held.ContainsKey(nodeId) ? Works(nodeId) : Take(nodeId);

    public HeartbeatResult SendHeartbeat(Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null) => Guarded(() =>
    {
        // Where this node's own lock does not keep others out, a free lock of a peer proves nothing.
        var works = Works(nodeId);
        database.ConfirmFile();
        var alive = ReadAlive();
        var saysItHoldsLock = holdsLock && works;
        var accepted = alive.Nodes.TryGetValue(nodeId, out var own) && (Count(own, saysItHoldsLock, isLeaseValid) || Store(nodeId, saysItHoldsLock));
        _peers.KeepOnly(alive.Ids);
        return new HeartbeatResult(accepted, [.. alive.Nodes.Values.Where(node => node.Id != nodeId).Select(node => Look(node, works))], alive.DeadWithClaims);
    });

    public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged) => Guarded(() =>
    {
        List<Guid> dead;
        try
        {
            dead = database.Write(session => judged.Where(peer => Judge(session, peer.NodeId, peer.Heartbeat)).Select(peer => peer.NodeId).ToList(), relaxed: false, VerdictWait);
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
        Guarded(() => database.Write(session => session.Get(NodeSql.Leave).Bind(1, nodeId).Bind(2, database.Now()).ExecuteChanges(), relaxed: false));
        Release(nodeId);
        database.Locks.Remove(nodeId);
    }

    public void Dispose()
    {
        foreach (var (nodeId, held) in _held)
        {
            // A session that broke is followed by another one of the same process. Its lock must not look free meanwhile: that would prove its death.
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
        var gone = namesakes.Where(node => holdsLock && node.SaysItHoldsLock && !database.Locks.IsHeld(node.Id)).Select(node => node.Id).ToList();
        foreach (var node in gone)
        {
            session.Get(NodeSql.MarkGone).Bind(1, node).Bind(2, now).Execute();
        }

        var nameTaken = namesakes.Count > gone.Count;
        session.Get(NodeSql.Insert)
            .Bind(1, identity.Id).Bind(2, identity.Name).Bind(3, !nameTaken).Bind(4, identity.NameIsExplicit)
            .Bind(5, identity.Machine).Bind(6, identity.ProcessId).Bind(7, identity.ProcessStarted).Bind(8, holdsLock).Bind(9, now)
            .Execute();
        return (nameTaken, gone);
    }

    // Raised in the file, and the row read before and the deadline looked at after it: no verdict can have been reached meanwhile (docs/protocol, FILE_COUNTER).
    private bool Count(AliveNode own, bool holdsLock, Func<bool>? isLeaseValid)
        => database.Heartbeats.TryRaise(own.Id, ref _counter) && !own.StoresHeartbeats && own.SaysItHoldsLock == holdsLock && isLeaseValid is not null && isLeaseValid();

    private bool Store(Guid nodeId, bool holdsLock)
        => database.Write(
            session => session.Get(NodeSql.Heartbeat).Bind(1, nodeId).Bind(2, holdsLock).Bind(3, database.Now()).ExecuteChanges() > 0,
            relaxed: true,
            StoreWait);

    private bool Judge(SqliteSession session, Guid nodeId, long beat)
        => session.Get(NodeSql.StoredHeartbeat).Bind(1, nodeId).Scalar() is { } stored
            && Counter(stored, database.Heartbeats.TryRead(nodeId)) == beat
            && session.Get(NodeSql.MarkDead).Bind(1, nodeId).Bind(2, stored).Bind(3, database.Now()).ExecuteChanges() > 0;

    private PeerHeartbeat Look(AliveNode node, bool ownLockWorks)
    {
        var (counter, isUnreadable, lockIsHeld) = _peers.Look(node.Id);
        if (isUnreadable && !node.StoresHeartbeats)
        {
            database.Post(session => session.Get(NodeSql.AskToStore).Bind(1, node.Id).ExecuteChanges());
        }

        return new PeerHeartbeat(node.Id, node.Name, Counter(node.StoredBeat, counter), node.SaysItHoldsLock, !ownLockWorks || lockIsHeld);
    }

    // One number for both counters, which changes with each of them.
    private static long Counter(long stored, long? inFile) => (stored << 32) + (uint)(inFile ?? 0);

    // Nothing is read as long as nobody commits.
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
                id, statement.Boolean(2) ? statement.Text(1) : id.ToString(), statement.Int64(3), statement.Boolean(4), statement.Boolean(5)));
        }

        var deadWithClaims = session.Get(NodeSql.AnyDeadWithClaims).Exists();
        session.Commit();
        return _alive = new Alive(version, nodes, nodes.Keys.ToHashSet(), deadWithClaims);
    }

    // Taken, and seen to be taken: where files can't be locked, or the runtime was configured not to, the lease alone decides.
    private bool Take(Guid nodeId)
    {
        if (database.Locks.TryTake(nodeId) is not { } held)
        {
            return false;
        }

        _held.Add(nodeId, held);
        if (database.Locks.Works(nodeId))
        {
            return true;
        }

        if (!_hasWarned)
        {
            _hasWarned = true;
            database.Logger.LocksDoNotWork(database.Path, nodeId);
        }

        return false;
    }

    private bool Works(Guid nodeId)
    {
        if (!_held.TryGetValue(nodeId, out var held))
        {
            return false;
        }

        if (database.Locks.Works(nodeId))
        {
            return true;
        }

        // The file may have been deleted or replaced: the lock on the one that is there now is the one that others see.
        _held.Remove(nodeId);
        var works = Take(nodeId);
        if (_held.TryAdd(nodeId, held))
        {
            return false;
        }

        held.Dispose();
        return works;
    }

    private void Release(Guid nodeId)
    {
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
    /// <param name="StoredBeat">How many of its heartbeats were stored.</param>
    /// <param name="SaysItHoldsLock">What it said last of its lock.</param>
    /// <param name="StoresHeartbeats">Another node cannot read its file, so that its heartbeats are stored.</param>
    private sealed record AliveNode(Guid Id, string Name, long StoredBeat, bool SaysItHoldsLock, bool StoresHeartbeats);
}
