using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>A simulated node: its session, and a claimer for each queue.</summary>
public sealed class TestNode(IQueueStore store, INodeSession session, NodeIdentity identity, NodeRegistration registration) : IDisposable
{
    private readonly Dictionary<string, IQueueClaimer> _claimers = new(StringComparer.Ordinal);
    private bool _closed;

    public Guid Id => identity.Id;

    public string Name => identity.Name;

    public NodeIdentity Identity => identity;

    public INodeSession Session => session;

    public IQueueStore Store => store;

    public NodeRegistration Registration => registration;

    public HeartbeatResult Beat() => session.SendHeartbeat(Id, registration.HoldsLock);

    /// <summary>Returns the claimer for a queue and a set of kinds. It is the same object for the node's lifetime, unless the test moves
    /// the clock.</summary>
    public IQueueClaimer Claimer(string queue = StoreTests.DefaultQueue, params string[] kinds)
    {
        var known = kinds.Length == 0 ? [StoreTests.Work] : kinds;
        var key = queue + "\n" + string.Join('\n', known);
        if (!_claimers.TryGetValue(key, out var claimer))
        {
            claimer = store.CreateClaimer(Id, queue, known);
            _claimers.Add(key, claimer);
        }

        return claimer;
    }

    /// <summary>Discards the claimers, because their positions are invalid after the clock has been moved.</summary>
    public void ForgetClaimers() => _claimers.Clear();

    /// <summary>Ends the session without a notification, as a crash does.</summary>
    public void Close()
    {
        if (!_closed)
        {
            _closed = true;
            session.Dispose();
        }
    }

    public void Dispose() => Close();
}

/// <summary>Shortcuts for verdicts on a single node.</summary>
public static class NodeSessionExtensions
{
    /// <summary>Declares one node dead.</summary>
    /// <returns>Whether this call declared it dead.</returns>
    public static bool MarkDead(this INodeSession session, Guid nodeId, long heartbeat)
        => session.MarkDead([new PeerHeartbeat(nodeId, "", heartbeat, false, false)]).Count == 1;
}
