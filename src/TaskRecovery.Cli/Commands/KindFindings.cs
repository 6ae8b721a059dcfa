using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>The kinds whose entries wait where no node runs them.</summary>
internal static class KindFindings
{
    /// <summary>The name of the check of kinds that no node knows.</summary>
    public const string Unknown = "unknown kinds";

    /// <summary>The name of the check of kinds that nodes know, but not those of the queue.</summary>
    public const string Misplaced = "misplaced kinds";

    private const int MostNamed = 10;
    private const int MostQueues = 50;

    /// <summary>Finds the kinds with waiting entries for which no living node has a worker.</summary>
    /// <remarks>A kind of a silent node is not named: the silent node is. As long as no node works, each kind would be without a worker,
    /// so they are one finding, whose repair does not give up their entries.</remarks>
    public static IEnumerable<StoreFinding> FindUnknown(IReadOnlyList<KindSummary> kinds, IReadOnlyList<NodeSummary> nodes)
    {
        var ofSilent = KindsOf(nodes, NodeState.Silent);
        var ofDead = KindsOf(nodes, NodeState.Dead);
        KindSummary[] without = [.. kinds.Where(kind => kind.Nodes == 0 && !ofSilent.Contains(kind.Name))];
        KindSummary[] waiting = [.. without.Where(static kind => kind.Waiting.Value > 0)];
        if (nodes.Any(static node => node is { State: NodeState.Alive, Queues.Count: > 0 }))
        {
            foreach (var kind in waiting)
            {
                yield return new StoreFinding(
                    Unknown,
                    FindingLevel.Warning,
                    $"{kind.Waiting} entries of kind {kind.Name} wait, and no living node has a worker for it.",
                    RepairOf(kind.Name, ofDead.Contains(kind.Name)));
            }
        }
        else if (waiting.Length > 0)
        {
            yield return new StoreFinding(
                Unknown,
                FindingLevel.Warning,
                "No living node serves a queue, so that it is not known which kinds have no worker. Entries of these kinds wait: "
                + $"{NamesOf(waiting)}.",
                "Start the nodes, then repeat this command.");
        }

        KindSummary[] uncounted = [.. without.Where(IsUncounted)];
        if (uncounted.Length > 0)
        {
            yield return new StoreFinding(
                Unknown,
                FindingLevel.Warning,
                "Not all waiting entries were counted, because there are too many. It is not known whether entries of these kinds wait, "
                + $"for which no living node has a worker: {NamesOf(uncounted)}.",
                "Look for them: taskrecovery list --state waiting --kind KIND");
        }
    }

    /// <summary>Finds the kinds with waiting entries in a queue whose living nodes have no worker for them, although nodes of other queues
    /// have one.</summary>
    /// <remarks>Counts the entries of a queue by kind only if its nodes lack a kind that another node has, and only those of the queues
    /// that have waited for longest: each count examines up to 100,000 entries.</remarks>
    public static async Task<IReadOnlyList<StoreFinding>> FindMisplacedAsync(
        IQueueMonitor monitor, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes, IReadOnlyList<KindSummary> kinds,
        CancellationToken cancellationToken)
    {
        List<StoreFinding> findings = [];
        var waitingLongest = snapshot.Queues.Where(static queue => queue is { Nodes: > 0, Due.Value: > 0 })
            .OrderByDescending(static queue => queue.OldestDue).Take(MostQueues);
        foreach (var queue in waitingLongest)
        {
            var known = nodes.Where(node => node.State == NodeState.Alive && node.Queues.Any(served => served.Name == queue.Name))
                .SelectMany(static node => node.Kinds).ToHashSet(StringComparer.Ordinal);
            var elsewhere = kinds.Where(kind => kind.Nodes > 0 && !known.Contains(kind.Name) && MayWait(kind))
                .Select(static kind => kind.Name).ToHashSet(StringComparer.Ordinal);
            if (elsewhere.Count == 0)
            {
                continue;
            }

            var query = new EntryQuery { States = [EntryState.Waiting], Queue = queue.Name };
            var waiting = await monitor.GroupAsync(query, EntryGrouping.Kind, cancellationToken).ConfigureAwait(false);
            findings.AddRange(waiting.Groups.Where(group => elsewhere.Contains(group.Key)).Select(group => FindingOf(group, queue.Name)));
        }

        return findings;
    }

    // A count that stopped says nothing of a kind of which it has met no entry.
    private static bool MayWait(KindSummary kind) => kind.Waiting is { Value: > 0 } or { Precision: CountPrecision.AtLeast };

    private static bool IsUncounted(KindSummary kind) => kind.Waiting is { Value: 0, Precision: CountPrecision.AtLeast };

    private static HashSet<string> KindsOf(IEnumerable<NodeSummary> nodes, NodeState state)
        => nodes.Where(node => node.State == state).SelectMany(static node => node.Kinds).ToHashSet(StringComparer.Ordinal);

    private static string NamesOf(KindSummary[] kinds)
    {
        var more = kinds.Length > MostNamed ? $" and {kinds.Length - MostNamed} others" : "";
        return $"{string.Join(", ", kinds.Take(MostNamed).Select(static kind => kind.Name))}{more}";
    }

    private static StoreFinding FindingOf(EntryGroup group, string queue) => new(
        Misplaced,
        FindingLevel.Warning,
        $"{group.Entries} entries of kind {group.Key} wait in queue {queue}, and no living node that serves this queue has a worker for "
        + "the kind. Nodes of other queues have one.",
        "Let one of these nodes serve the queue too (TaskRecoveryOptions.Queues), or add the worker to a node of the queue.");

    // The entries of task kinds are runs of jobs, which a cancellation would not stop from being planned.
    // Those of a node that was declared dead wait for its successor, so that to cancel them is no repair.
    private static string RepairOf(string kind, bool hadNode) => (TaskEntryKind.Is(kind), hadNode) switch
    {
        (true, _) => "Start a node that has one (AddTaskHandler), or pause or delete its jobs: taskrecovery jobs",
        (false, true) => "Start a node that has one (AddWorker): a node that had one is dead.",
        _ => $"Start a node that has one (AddWorker), or{CancelAll(kind)}",
    };

    // Only the store's tables can have a kind with '*' in its name. As a filter, the name would select other kinds too.
    private static string CancelAll(string kind) => kind.Contains('*', StringComparison.Ordinal)
        ? " cancel the entries by their ids: as a filter, this name would match other kinds too."
        : $": taskrecovery cancel --kind {ShellText.Quoted(kind)}";
}
