using System.Security.Cryptography;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Chooses the nodes that listen for hints. For each queue, the nodes that run the same kinds stand in a line, and the first few
/// of each line listen. Nodes with room come before full ones, less busy ones before busier ones, and then those that have not listened
/// for the longest time.</summary>
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

    /// <summary>The line in which a node stands for a queue: a name that it shares with the nodes that work this queue and run the same
    /// kinds. A node that does not run a kind must not be the one to which others leave the entries of this kind.</summary>
    /// <param name="queue">The queue.</param>
    /// <param name="kinds">The <see cref="MarkOf"/> of the kinds.</param>
    public static string Line(string queue, string kinds) => $"{queue} {kinds}";

    /// <summary>A short text that is the same for nodes that run the same kinds.</summary>
    public static string MarkOf(IEnumerable<string> kinds)
    {
        var text = string.Join('\n', kinds.Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 4));
    }

    /// <summary>The lines of a node, as it sees them.</summary>
    /// <param name="own">The place of the node.</param>
    /// <param name="peers">The other living nodes. Those without a place do not count: they listen anyway.</param>
    public static HintLine[] See(HintPlace own, IReadOnlyList<PeerHeartbeat> peers)
        => [.. own.Queues.Select(line => See(line, own, peers))];

    /// <summary>How many nodes stand in the shortest of the lines of a node; 1 if it stands in none.</summary>
    public static int LengthOfShortest(IEnumerable<HintLine> lines)
        => lines.Select(static line => line.Nodes).DefaultIfEmpty(1).Min();

    private static HintLine See(string line, HintPlace own, IReadOnlyList<PeerHeartbeat> peers)
    {
        var (first, load, nodes, before) = (own, own.Load, 1, 0);
        for (var i = 0; i < peers.Count; i++)
        {
            if (peers[i].Place is { } peer && Contains(peer.Queues, line))
            {
                (load, nodes) = (load + peer.Load, nodes + 1);
                before += Compare(peer, own, line) < 0 ? 1 : 0;
                first = Compare(peer, first, line) < 0 ? peer : first;
            }
        }

        var isNearlyIdle = nodes > PerQueue && NodesPerLoad * load <= nodes;
        var isLeft = isNearlyIdle && first.Load == 0 && !Contains(first.FullQueues, line);
        return new HintLine(line, nodes, Listens: before < (isLeft ? WithFirst : PerQueue), LeavesToFirst: isLeft && before > 0);
    }

    private static int Compare(HintPlace one, HintPlace other, string line)
        => (Contains(one.FullQueues, line), one.Load, one.TurnEndedAt ?? DateTimeOffset.MinValue, one.Number)
            .CompareTo((Contains(other.FullQueues, line), other.Load, other.TurnEndedAt ?? DateTimeOffset.MinValue, other.Number));

    private static bool Contains(IReadOnlyList<string> lines, string line)
    {
        for (var i = 0; i < lines.Count; i++)
        {
            if (string.Equals(lines[i], line, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }
}
