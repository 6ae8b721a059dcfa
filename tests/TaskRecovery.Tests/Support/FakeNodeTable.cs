using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <summary>A node table in memory with sessions that can break, answer late or lose their answers: what the node's own thread needs of a
/// store, and no more.</summary>
internal sealed class FakeNodeTable
{
    private readonly List<FakeNodeSession> _sessions = [];

    public Dictionary<Guid, FakeNodeRow> Rows { get; } = [];

    public IReadOnlyList<FakeNodeSession> Sessions => _sessions;

    /// <summary>What opening a session throws.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>Whether some dead node has claims.</summary>
    public bool DeadWithClaims { get; set; }

    public bool HasLocks { get; set; } = true;

    /// <summary>How many heartbeats there were, and how many of them read the other nodes.</summary>
    public (int All, int Reads) Heartbeats { get; set; }

    /// <summary>How many nodes each call to declare some dead named.</summary>
    public List<int> Verdicts { get; } = [];

    /// <summary>A server restart: every session is broken and every lock free.</summary>
    public void BreakAllSessions()
    {
        foreach (var session in _sessions.ToArray())
        {
            session.Break();
        }
    }

    public FakeNodeSession Open()
    {
        if (Refusal is { } refusal)
        {
            throw refusal;
        }

        var session = new FakeNodeSession(this);
        _sessions.Add(session);
        return session;
    }

    internal FakeNodeSession? Holder(Guid node) => _sessions.Find(session => session.Held == node && !session.IsBroken);

    internal void Forget(FakeNodeSession session) => _sessions.Remove(session);
}

/// <summary>One node's row.</summary>
internal sealed class FakeNodeRow
{
    public required NodeIdentity Identity { get; init; }

    public long Beat { get; set; }

    public bool SaysItHoldsLock { get; set; }

    public bool IsDead { get; set; }

    public bool HasLeft { get; set; }

    /// <summary>It is in the middle of a claim, so that it can't be declared dead.</summary>
    public bool IsClaiming { get; set; }
}

/// <summary>One session.</summary>
internal sealed class FakeNodeSession(FakeNodeTable table) : INodeSession
{
    public Guid? Held { get; private set; }

    public bool IsBroken { get; private set; }

    /// <summary>Runs when a heartbeat has reached the server and before its answer comes; may move the clock, block, or break the
    /// session.</summary>
    public Action? BeforeAnswer { get; set; }

    /// <summary>Runs before nodes are declared dead; may move the clock.</summary>
    public Action? BeforeVerdict { get; set; }

    /// <summary>Runs before the node leaves; may throw.</summary>
    public Action? BeforeLeave { get; set; }

    /// <summary>The connection is gone; the server frees the lock.</summary>
    public void Break() => IsBroken = true;

    public NodeRegistration Register(NodeIdentity identity)
    {
        ThrowIfBroken();
        var namesakes = table.Rows.Values.Where(row => !row.IsDead && row.Identity.Name == identity.Name).ToList();
        var gone = namesakes.Where(row => row.SaysItHoldsLock && table.Holder(row.Identity.Id) is null).ToList();
        gone.ForEach(row => row.IsDead = true);
        Held = table.HasLocks ? identity.Id : null;
        table.Rows.Add(identity.Id, new FakeNodeRow { Identity = identity, SaysItHoldsLock = table.HasLocks });
        return new NodeRegistration(table.HasLocks, namesakes.Count > gone.Count, [.. gone.Select(row => row.Identity.Id)]);
    }

    public bool TryHold(Guid nodeId)
    {
        ThrowIfBroken();
        if (table.Holder(nodeId) is { } holder)
        {
            return holder == this;
        }

        Held = nodeId;
        return true;
    }

    public HeartbeatResult SendHeartbeat(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
    {
        table.Heartbeats = (table.Heartbeats.All + 1, table.Heartbeats.Reads + 1);
        var accepted = Increment(nodeId, holdsLock);
        var peers = table.Rows.Values.Where(peer => !peer.IsDead && peer.Identity.Id != nodeId)
            .Select(peer => new PeerHeartbeat(
                peer.Identity.Id, peer.Identity.Name, peer.Beat, peer.SaysItHoldsLock, table.Holder(peer.Identity.Id) is not null))
            .ToList();
        BeforeAnswer?.Invoke();
        ThrowIfBroken();
        return new HeartbeatResult(accepted, peers, table.DeadWithClaims);
    }

    public HeartbeatResult SendHeartbeatOnly(
        Guid nodeId, bool holdsLock, Func<bool>? isLeaseValid = null, string? vitals = null, HintOffer? hints = null)
    {
        table.Heartbeats = (table.Heartbeats.All + 1, table.Heartbeats.Reads);
        var accepted = Increment(nodeId, holdsLock);
        BeforeAnswer?.Invoke();
        ThrowIfBroken();
        return new HeartbeatResult(accepted, [], table.DeadWithClaims) { HasPeers = false };
    }

    private bool Increment(Guid nodeId, bool holdsLock)
    {
        ThrowIfBroken();
        var accepted = table.Rows.TryGetValue(nodeId, out var row) && !row.IsDead;
        if (accepted)
        {
            row!.Beat++;
            row.SaysItHoldsLock = holdsLock;
        }

        return accepted;
    }

    public IReadOnlyList<Guid> MarkDead(IReadOnlyList<PeerHeartbeat> judged, string? judge = null)
    {
        ThrowIfBroken();
        table.Verdicts.Add(judged.Count);
        BeforeVerdict?.Invoke();
        var dead = judged.Where(peer => table.Rows[peer.NodeId] is { IsDead: false, IsClaiming: false } row
            && row.Beat == peer.Heartbeat).Select(peer => peer.NodeId).ToList();
        dead.ForEach(node => table.Rows[node].IsDead = true);
        return dead;
    }

    public void Leave(Guid nodeId)
    {
        ThrowIfBroken();
        BeforeLeave?.Invoke();
        table.Rows[nodeId].HasLeft = true;
        table.Rows[nodeId].IsDead = true;
    }

    public void Dispose()
    {
        IsBroken = true;
        table.Forget(this);
    }

    private void ThrowIfBroken()
    {
        if (IsBroken)
        {
            throw new StoreUnavailableException("The session is broken.");
        }
    }
}
