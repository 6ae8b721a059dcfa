using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>A node as the tests play it: its session, and a claimer for each queue.</summary>
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

    /// <summary>The claimer of one queue and set of kinds; the same one for the node's whole life, unless the test moves the clock.</summary>
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

    /// <summary>The clock has jumped: where the claimers stopped means nothing any more.</summary>
    public void ForgetClaimers() => _claimers.Clear();

    /// <summary>Ends the session without a word, as a crash does.</summary>
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

/// <summary>Verdicts as most tests need them: on one node.</summary>
public static class NodeSessionExtensions
{
    /// <summary>Declares one node dead.</summary>
    /// <returns>Whether this call did it.</returns>
    public static bool MarkDead(this INodeSession session, Guid nodeId, long beat) => session.MarkDead([new PeerHeartbeat(nodeId, "", beat, false, false)]).Count == 1;
}
