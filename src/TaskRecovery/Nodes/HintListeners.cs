using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Chooses the nodes that listen for hints: for each queue the first few of a line, in which nodes with room come before full
/// ones, less busy ones before busier ones, and then those that have not listened for the longest time.</summary>
/// <remarks>Every node reads the same rows with its heartbeat and chooses for itself, so nothing has to be agreed on. Two nodes may see
/// different states for about a heartbeat; then a few more or fewer nodes listen, which changes only how soon an entry is found.</remarks>
internal static class HintListeners
{
    /// <summary>How many nodes listen for a queue. Each costs the server a wake-up and a claim for every hint; with only one, each hint
    /// would be lost while that node is stopped or has just become full.</summary>
    internal const int PerQueue = 3;

    /// <summary>How many nodes listen for a queue whose new entries the others leave to the first node: that one, and one that takes what
    /// the first has missed. Both are woken by every hint, but only the first claims at once.</summary>
    internal const int WithFirst = 2;

    // A fleet is nearly idle if its nodes have at most one level of load for so many of them: a sixteenth of what they can run.
    private const int NodesPerLoad = 4;

    /// <summary>Whether a node is among the listeners of one of its queues.</summary>
    /// <param name="own">The place of the node.</param>
    /// <param name="peers">The other living nodes. Those without a place do not count: they listen anyway.</param>
    public static bool Include(HintPlace own, IReadOnlyList<PeerHeartbeat> peers)
    {
        foreach (var queue in own.Queues)
        {
            var most = FindFirst(queue, own, peers) is null ? PerQueue : WithFirst;
            var before = 0;
            for (var i = 0; i < peers.Count && before < most; i++)
            {
                if (peers[i].Place is { } peer && Contains(peer.Queues, queue) && Compare(peer, own, queue) < 0)
                {
                    before++;
                }
            }

            if (before < most)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a node leaves new entries of a queue to the first node of the line, because the fleet is nearly idle and that node
    /// can take them. The others then look only for what the first has missed.</summary>
    /// <param name="queue">One of the queues of the node.</param>
    /// <param name="own">The place of the node.</param>
    /// <param name="peers">The other living nodes. Those without a place do not count.</param>
    public static bool LeavesToFirst(string queue, HintPlace own, IReadOnlyList<PeerHeartbeat> peers)
        => FindFirst(queue, own, peers) is { } first && !ReferenceEquals(first, own);

    // The node to which the others leave new entries, if there is one.
    private static HintPlace? FindFirst(string queue, HintPlace own, IReadOnlyList<PeerHeartbeat> peers)
    {
        var (first, load, nodes) = (own, own.Load, 1);
        for (var i = 0; i < peers.Count; i++)
        {
            if (peers[i].Place is { } peer && Contains(peer.Queues, queue))
            {
                (load, nodes) = (load + peer.Load, nodes + 1);
                first = Compare(peer, first, queue) < 0 ? peer : first;
            }
        }

        var isNearlyIdle = nodes > PerQueue && NodesPerLoad * load <= nodes;
        return isNearlyIdle && first.Load == 0 && !Contains(first.FullQueues, queue) ? first : null;
    }

    private static int Compare(HintPlace one, HintPlace other, string queue)
        => (Contains(one.FullQueues, queue), one.Load, one.TurnEndedAt ?? DateTimeOffset.MinValue, one.Number)
            .CompareTo((Contains(other.FullQueues, queue), other.Load, other.TurnEndedAt ?? DateTimeOffset.MinValue, other.Number));

    private static bool Contains(IReadOnlyList<string> queues, string queue)
    {
        for (var i = 0; i < queues.Count; i++)
        {
            if (string.Equals(queues[i], queue, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
