using TaskRecovery.Cli.Connections;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>What is wrong with nodes, kinds and queues, as the read model shows them.</summary>
internal static class QueueFindings
{
    private static readonly TimeSpan LongPause = TimeSpan.FromDays(7);

    public static async Task<IReadOnlyList<StoreFinding>> ReadAsync(StoreSession store, CancellationToken cancellationToken)
    {
        var snapshot = await store.Monitor.GetSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var nodes = await store.Monitor.ListNodesAsync(cancellationToken).ConfigureAwait(false);
        var kinds = await store.Monitor.ListKindsAsync(cancellationToken).ConfigureAwait(false);
        var jobs = await JobsCommand.ListAllAsync(store.Monitor, cancellationToken).ConfigureAwait(false);
        var overdue = await JobFindings.OverdueAsync(store.Monitor, jobs, snapshot.TakenAt, cancellationToken).ConfigureAwait(false);
        return
        [
            .. OrOk("silent nodes", Silent(nodes)),
            .. OrOk("versions", Mixed(nodes)),
            .. OrOk("unknown kinds", Unknown(kinds)),
            .. OrOk("unserved queues", Unserved(snapshot)),
            .. OrOk("orphaned jobs", Orphaned(jobs)),
            .. OrOk(JobFindings.Overdue, overdue),
            .. OrOk("pauses", Paused(snapshot, kinds, jobs)),
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

    private static IEnumerable<StoreFinding> Unknown(IEnumerable<KindSummary> kinds)
        => kinds.Where(static kind => kind is { Nodes: 0, Waiting.Value: > 0 }).Select(static kind => new StoreFinding(
            "unknown kinds",
            FindingLevel.Warning,
            $"{kind.Waiting} entries of kind {kind.Name} wait, and no living node has a worker for it.",
            RepairOf(kind.Name)));

    // The entries of task kinds are runs of jobs, which a cancellation would not stop from being planned.
    private static string RepairOf(string kind) => TaskEntryKind.Is(kind)
        ? "Start a node that has one (AddTaskHandler), or pause or delete its jobs: taskrecovery jobs"
        : $"Start a node that has one (AddWorker), or{CancelAll(kind)}";

    // Only the store's tables can have a kind with '*' in its name. As a filter, the name would select other kinds too.
    private static string CancelAll(string kind) => kind.Contains('*', StringComparison.Ordinal)
        ? " cancel the entries by their ids: as a filter, this name would match other kinds too."
        : $": taskrecovery cancel --kind {ShellQuoted(kind)}";

    private static IEnumerable<StoreFinding> Unserved(QueueSnapshot snapshot)
        => snapshot.Queues.Where(static queue => queue is { Nodes: 0, Due.Value: > 0, Pause: null }).Select(
            static queue => new StoreFinding(
            "unserved queues",
            FindingLevel.Warning,
            $"{queue.Due} entries of queue {queue.Name} are due, and no living node serves it.",
            "Start a node that does (TaskRecoveryOptions.Queues)."));

    private static IEnumerable<StoreFinding> Orphaned(IEnumerable<Job> jobs)
        => jobs.Where(static job => job is { OrphanedAt: not null, State: not JobState.Ended }).Select(static job => new StoreFinding(
            "orphaned jobs",
            FindingLevel.Warning,
            $"Job {job.Name} is no longer declared by {job.DeclaredBy}, since {Format.Time(job.OrphanedAt)}, and is kept.",
            $"Declare it again, or: taskrecovery job delete {ShellQuoted(job.Name)}"));

    private static IEnumerable<StoreFinding> Paused(QueueSnapshot snapshot, IEnumerable<KindSummary> kinds, IEnumerable<Job> jobs)
    {
        var paused = snapshot.Queues.Select(static queue => (What: "queue", queue.Name, queue.Pause))
            .Concat(kinds.Select(static kind => (What: "kind", kind.Name, kind.Pause)))
            .Concat(jobs.Where(static job => job.Pause is not null).Select(
                static job => (What: "job", job.Name, job.Pause)));
        return paused.Where(one => one.Pause is { Until: null } pause
            && (pause.Since is null || snapshot.TakenAt - pause.Since >= LongPause))
            .Select(static one => new StoreFinding(
                "pauses",
                FindingLevel.Warning,
                $"The {one.What} {one.Name} is {Format.Pause(one.Pause)}, without an end.",
                $"taskrecovery resume {one.What} {ShellQuoted(one.Name)}"));
    }

    private static IEnumerable<StoreFinding> OrOk(string check, IEnumerable<StoreFinding> found)
        => found.DefaultIfEmpty(new StoreFinding(check, FindingLevel.Ok, "Nothing found."));

    private static string ShellQuoted(string name) => $"'{name.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
