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
        var monitor = store.Monitor;
        var snapshot = await DoctorCheck.AskAsync(monitor.GetSnapshotAsync(cancellationToken)).ConfigureAwait(false);
        var nodes = await DoctorCheck.AskAsync(monitor.ListNodesAsync(cancellationToken)).ConfigureAwait(false);
        var kinds = await DoctorCheck.AskAsync(monitor.ListKindsAsync(cancellationToken)).ConfigureAwait(false);
        var jobs = await DoctorCheck.AskAsync(
            new ValueTask<IReadOnlyList<Job>>(JobsCommand.ListAllAsync(monitor, cancellationToken))).ConfigureAwait(false);
        (string Check, Func<Task<IEnumerable<StoreFinding>>> Examine)[] checks =
        [
            ("silent nodes", async () => Silent(await nodes.ConfigureAwait(false))),
            ("versions", async () => Mixed(await nodes.ConfigureAwait(false))),
            (KindFindings.Unknown, async () => KindFindings.FindUnknown(
                await kinds.ConfigureAwait(false), await nodes.ConfigureAwait(false))),
            (KindFindings.Misplaced, async () => await KindFindings.FindMisplacedAsync(
                monitor, await snapshot.ConfigureAwait(false), await nodes.ConfigureAwait(false), await kinds.ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false)),
            ("unserved queues", async () => Unserved(await snapshot.ConfigureAwait(false))),
            ("long waits", async () => Late(await snapshot.ConfigureAwait(false))),
            ("orphaned jobs", async () => Orphaned(await jobs.ConfigureAwait(false))),
            (JobFindings.Overdue, async () => await JobFindings.OverdueAsync(
                monitor, await jobs.ConfigureAwait(false), await snapshot.ConfigureAwait(false), await kinds.ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false)),
            (PauseFindings.Check, async () => PauseFindings.Find(
                await snapshot.ConfigureAwait(false), await kinds.ConfigureAwait(false), await jobs.ConfigureAwait(false))),
        ];
        List<StoreFinding> findings = [];
        foreach (var (check, examine) in checks)
        {
            findings.AddRange(await DoctorCheck.TryAsync(check, examine).ConfigureAwait(false));
        }

        return findings;
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
}
