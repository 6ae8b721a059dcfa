using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>A node's life: its row, and the lock on its own file. Its writes go through the one writer, in their turn, and need not reach the disk.</summary>
internal sealed class SqliteNodeSession(SqliteDatabase database) : INodeSession
{
    private readonly Dictionary<Guid, FileStream> _held = [];
    private bool _isBroken;

    public NodeRegistration Register(NodeIdentity identity)
    {
        // The lock first: whoever sees the row may look at the lock at once.
        var holdsLock = Take(identity.Id);
        try
        {
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

    public bool TryHold(Guid nodeId) => _held.ContainsKey(nodeId) || Take(nodeId);

    public BeatResult Beat(Guid nodeId, bool holdsLock)
    {
        var (accepted, peers, deadWithClaims) = Guarded(() =>
        {
            if (!File.Exists(database.Path))
            {
                throw new StoreUnavailableException($"'{database.Path}' is gone: it was moved or deleted while it was in use. Put it back, or restart the process to begin with an empty one.");
            }

            return database.Write(session => Store(session, nodeId, holdsLock), relaxed: true);
        });
        return new BeatResult(
            accepted,
            peers.ConvertAll(peer => new PeerBeat(peer.Id, peer.Name, peer.Beat, peer.SaysItHoldsLock, database.Locks.IsHeld(peer.Id))),
            deadWithClaims);
    }

    public bool MarkDead(Guid nodeId, long beat)
    {
        var done = Guarded(() => database.Write(
            session => session.Get(NodeSql.MarkDead).Bind(1, nodeId).Bind(2, beat).Bind(3, database.Now()).ExecuteChanges() > 0,
            relaxed: false));
        if (done)
        {
            database.Locks.Remove(nodeId);
        }

        return done;
    }

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
    }

    private (bool NameTaken, List<Guid> TakenOver) Store(SqliteSession session, NodeIdentity identity, bool holdsLock)
    {
        var namesakes = new List<(Guid Id, bool SaysItHoldsLock)>();
        var statement = session.Get(NodeSql.Namesakes).Bind(1, identity.Name);
        while (statement.Step())
        {
            namesakes.Add((statement.Guid(0), statement.Boolean(1)));
        }

        var now = database.Now();
        var gone = namesakes.Where(node => node.SaysItHoldsLock && !database.Locks.IsHeld(node.Id)).Select(node => node.Id).ToList();
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

    private (bool Accepted, List<(Guid Id, string Name, long Beat, bool SaysItHoldsLock)> Peers, bool DeadWithClaims) Store(SqliteSession session, Guid nodeId, bool holdsLock)
    {
        var accepted = session.Get(NodeSql.Beat).Bind(1, nodeId).Bind(2, holdsLock).Bind(3, database.Now()).ExecuteChanges() > 0;
        var peers = new List<(Guid, string, long, bool)>();
        var statement = session.Get(NodeSql.Peers).Bind(1, nodeId);
        while (statement.Step())
        {
            var id = statement.Guid(0);
            peers.Add((id, statement.Boolean(2) ? statement.Text(1) : id.ToString(), statement.Int64(3), statement.Boolean(4)));
        }

        return (accepted, peers, session.Get(NodeSql.AnyDeadWithClaims).Exists());
    }

    // Taken, and seen to be taken: where files can't be locked (or the runtime was told not to), the lease alone decides.
    private bool Take(Guid nodeId)
    {
        if (database.Locks.TryTake(nodeId) is not { } held)
        {
            return false;
        }

        _held.Add(nodeId, held);
        return database.Locks.IsHeld(nodeId);
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
}
