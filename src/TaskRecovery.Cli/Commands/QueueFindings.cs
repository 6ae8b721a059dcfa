using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>What is wrong with nodes, kinds and queues, as the read model shows them.</summary>
internal static class QueueFindings
{
    /// <summary>The repair of a queue whose nodes are behind.</summary>
    public const string Behind = "Add nodes or concurrency, or see which kinds are paused or have no worker: taskrecovery kinds";

    // As long as the health check allows by default.
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(15);

    public static async Task<IReadOnlyList<StoreFinding>> ReadAsync(StoreSession store, CancellationToken cancellationToken)
    {
        var snapshot = await store.Monitor.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var nodes = await store.Monitor.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        var kinds = await store.Monitor.ListKindsAsync(cancellationToken).ConfigureAwait(false);
        var jobs = await JobsCommand.ListAllAsync(store.Monitor, cancellationToken).ConfigureAwait(false);
        var overdue = await JobFindings.OverdueAsync(store.Monitor, jobs, snapshot, kinds, cancellationToken).ConfigureAwait(false);
        var misplaced = await KindFindings.FindMisplacedAsync(store.Monitor, snapshot, nodes, kinds, cancellationToken)
            .ConfigureAwait(false);
        return
        [
            .. OrOk("silent nodes", Silent(nodes)),
            .. OrOk("versions", Mixed(nodes)),
            .. OrOk(KindFindings.Unknown, KindFindings.FindUnknown(kinds)),
            .. OrOk(KindFindings.Misplaced, misplaced),
            .. OrOk("unserved queues", Unserved(snapshot)),
            .. OrOk("long waits", Late(snapshot)),
            .. OrOk("orphaned jobs", Orphaned(jobs)),
            .. OrOk(JobFindings.Overdue, overdue),
            .. OrOk(PauseFindings.Check, PauseFindings.Find(snapshot, kinds, jobs)),
        ];
    }

    private static IEnumerable<StoreFinding> Silent(IEnumerable<NodeSummary> nodes)
        => nodes.Where(static node => node.State == NodeState.Silent).Select(static node => new StoreFinding(
            "silent nodes",
            FindingLevel.Warning,
            $"Node {node.Name} on {node.Machine} (process {node.ProcessId}) has sent no heartbeat "
            + $"for {Format.Duration(node.HeartbeatAge)}, and no other node has declared it dead.",
            "Look at that process, or start a node: it declares the other one dead and recovers its work."));

    private static IEnumerable<StoreFinding> Mixed(IEnumerable<NodeSummary> nodes)
    {
        var versions = nodes.Where(static node => node.State == NodeState.Alive)
            .GroupBy(static node => node.LibraryVersion ?? "unknown", StringComparer.Ordinal)
            .OrderBy(static version => version.Key, StringComparer.Ordinal)
            .Select(static version => $"{version.Key} ({string.Join(", ", version.Select(static node => node.Name))})")
            .ToArray();
        return versions.Length < 2
            ? []
            : [new StoreFinding(
                "versions", FindingLevel.Warning,
                $"Nodes run different versions of the library: {string.Join(", ", versions)}.", "Finish the deployment.")];
    }

    private static IEnumerable<StoreFinding> Unserved(QueueSnapshot snapshot)
        => snapshot.Queues.Where(static queue => queue is { Nodes: 0, Due.Value: > 0, Pause: null }).Select(
            static queue => new StoreFinding(
            "unserved queues",
            FindingLevel.Warning,
            $"{queue.Due} entries of queue {queue.Name} are due, and no living node serves it.",
            "Start a node that does (TaskRecoveryOptions.Queues)."));

    // What is paused or unserved is a finding of its own.
    private static IEnumerable<StoreFinding> Late(QueueSnapshot snapshot)
        => snapshot.Queues.Where(static queue => queue is { Nodes: > 0, Pause: null } && queue.OldestDue > LongWait).Select(
            static queue => new StoreFinding(
            "long waits",
            FindingLevel.Warning,
            $"The oldest due entry of queue {queue.Name} has waited for {Format.Duration(queue.OldestDue)}; {queue.Due} are due.",
            Behind));

    private static IEnumerable<StoreFinding> Orphaned(IEnumerable<Job> jobs)
        => jobs.Where(static job => job is { OrphanedAt: not null, State: not JobState.Ended }).Select(static job => new StoreFinding(
            "orphaned jobs",
            FindingLevel.Warning,
            $"Job {job.Name} is no longer declared by {job.DeclaredBy}, since {Format.Time(job.OrphanedAt)}, and is kept.",
            $"Declare it again, or: taskrecovery job delete {ShellText.Quoted(job.Name)}"));

    private static IEnumerable<StoreFinding> OrOk(string check, IEnumerable<StoreFinding> found)
        => found.DefaultIfEmpty(new StoreFinding(check, FindingLevel.Ok, "Nothing found."));
}
