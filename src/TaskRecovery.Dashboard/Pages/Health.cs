using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Storage;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The state of the system in sentences: what needs a person first, and one calm sentence if nothing does.</summary>
internal static class Health
{
    // How many of the same kind are named.
    private const int Most = 3;

    private static readonly NamePlace Unserved = new(Only: NameFilters.UnservedKinds.Key);

    public static Markup Render(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes, IReadOnlyList<KindSummary> kinds,
        IReadOnlyList<Job> jobs, IReadOnlyList<Job> overdue)
    {
        Markup[] findings =
        [
            .. NoNode(snapshot, nodes), .. Silent(request, nodes), .. Unknown(request, kinds), .. Uncounted(request, kinds),
            .. Paused(request, snapshot, kinds, jobs),
            .. Late(request, snapshot), .. Overdue(request, snapshot, kinds, jobs, overdue), .. Orphaned(request, jobs),
        ];
        return Html(
            $"<ul class=\"health\" aria-label=\"Health\">"
            + $"{(findings.Length > 0 ? Each(findings, static finding => finding) : AllIsWell(snapshot, nodes))}</ul>");
    }

    private static IEnumerable<Markup> NoNode(QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes)
    {
        var due = snapshot.Queues.Sum(static queue => queue.Due.Value);
        return due == 0 || nodes.Any(static node => node.State == NodeState.Alive) ? [] : [Item("bad", "failed", Html(
            $"No node is alive. {Shown.Many(due, "entry", "entries")} {(due == 1 ? "waits" : "wait")} for one."))];
    }

    private static IEnumerable<Markup> Silent(DashboardRequest request, IReadOnlyList<NodeSummary> nodes) => Warnings(
        request, nodes.Where(static node => node.State == NodeState.Silent), "warn",
        node => Html(
            $"<a href=\"{request.Href("nodes")}\">{Ui.Name(node.Name)}</a> has been silent for {Shown.Duration(node.HeartbeatAge)} "
            + $"and holds {Shown.Many(node.Entries, "entry", "entries")}. They run elsewhere once it is declared dead."),
        "more silent node", "nodes");

    private static IEnumerable<Markup> Unknown(DashboardRequest request, IReadOnlyList<KindSummary> kinds) => Warnings(
        request, kinds.Where(static kind => kind is { Nodes: 0, Waiting.Value: > 0 }), "kinds",
        kind => Html(
            $"{Shown.Many(kind.Waiting.Value, "entry", "entries")} of {KindLink.Of(request, kind.Name, Ui.Name(kind.Name), "waiting")} "
            + $"{(kind.Waiting.Value == 1 ? "waits" : "wait")}: no living node has a worker for this kind. "
            + $"Start one that registers it."),
        "more kind", NameCard.Address("kinds", kinds.Count, Unserved), " without a worker");

    // A count that stopped says nothing of a kind of which it has met no entry.
    private static IEnumerable<Markup> Uncounted(DashboardRequest request, IReadOnlyList<KindSummary> kinds)
    {
        var unknown = kinds.Count(static kind => kind is { Nodes: 0, Waiting: { Value: 0, Precision: CountPrecision.AtLeast } });
        return unknown == 0 ? [] : [Item("warn", "kinds", Html(
            $"Too many entries wait to count them all. Entries of "
            + $"<a href=\"{request.Href(NameCard.Address("kinds", kinds.Count, Unserved))}\">{Shown.Many(unknown, "more kind")}</a> "
            + $"without a worker may wait too."))];
    }

    private static IEnumerable<Markup> Paused(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<KindSummary> kinds, IReadOnlyList<Job> jobs) =>
    [
        .. Warnings(
            request, snapshot.Queues.Where(NameFilters.PausedQueues.Matches), "pause",
            queue => Html(
                $"The queue {Link(request, "queues", snapshot.Queues.Count, queue.Name)} is paused{Pauses.Words(queue.Pause!)}. "
                + $"{Shown.Number(queue.Due)} due."),
            "more paused queue",
            NameCard.Address("queues", snapshot.Queues.Count, new NamePlace(Only: NameFilters.PausedQueues.Key))),
        .. Warnings(
            request, kinds.Where(NameFilters.PausedKinds.Matches), "pause",
            kind => Html(
                $"The kind {Link(request, "kinds", kinds.Count, kind.Name)} is paused{Pauses.Words(kind.Pause!)}. "
                + $"{Shown.Number(kind.Waiting)} waiting."),
            "more paused kind", NameCard.Address("kinds", kinds.Count, new NamePlace(Only: NameFilters.PausedKinds.Key))),
        .. Warnings(
            request, jobs.Where(static job => job.State == JobState.Paused), "pause",
            job => Html($"The job {Link(request, job)} is paused{(job.Pause is { } pause ? Pauses.Words(pause) : default)}."),
            "more paused job", "jobs", Among(jobs)),
    ];

    private static IEnumerable<Markup> Late(DashboardRequest request, QueueSnapshot snapshot) => Warnings(
        request,
        snapshot.Queues.Where(NameFilters.LateQueues.Matches).OrderByDescending(static queue => queue.OldestDue),
        "waiting",
        queue => Html(
            $"The oldest due entry of <a "
            + $"href=\"{request.Href("entries?state=waiting&queue=" + Uri.EscapeDataString(queue.Name))}\">{Ui.Name(queue.Name)}</a> "
            + $"has waited {Shown.Duration(queue.OldestDue!.Value)}{(queue.Nodes == 0 ? ": no living node serves this queue" : "")}."),
        "more queue", NameCard.Address("queues", snapshot.Queues.Count, new NamePlace(Only: NameFilters.LateQueues.Key)),
        " with a long wait");

    private static IEnumerable<Markup> Overdue(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<KindSummary> kinds, IReadOnlyList<Job> jobs,
        IReadOnlyList<Job> overdue)
    {
        var runs = new OverdueRuns(snapshot.Queues, kinds);
        return Warnings(
            request, overdue.Where(job => !runs.IsPaused(job)), "jobs",
            job => job.NextRunAt is { } due
                ? Html($"The job {Link(request, job)} has been due for {Shown.Duration(snapshot.TakenAt - due)}, and its run "
                    + $"{(runs.WaitOf(job) is null ? "does not start" : "waits in a queue that is behind")}.")
                : Html($"The job {Link(request, job)} is active, and no run of it is planned. The nodes log why (4006)."),
            "more overdue job", "jobs", Among(jobs));
    }

    private static IEnumerable<Markup> Orphaned(DashboardRequest request, IReadOnlyList<Job> jobs) => Warnings(
        request, jobs.Where(static job => job is { OrphanedAt: not null, State: not JobState.Ended }), "jobs",
        job => Html(
            $"The job {Link(request, job)} is orphaned: {Ui.Name(job.DeclaredBy ?? "its application")} has not declared it "
            + $"since {Shown.Clock(job.OrphanedAt)}."),
        "more orphaned job", "jobs", Among(jobs));

    // What is not named is counted, so that the list does not look complete.
    private static IEnumerable<Markup> Warnings<T>(
        DashboardRequest request, IEnumerable<T> found, string icon, Func<T, Markup> sentence, string more, string path, string rest = "")
    {
        var all = found.ToList();
        foreach (var one in all.Take(Most))
        {
            yield return Item("warn", icon, sentence(one));
        }

        if (all.Count > Most)
        {
            yield return Item("warn", icon, Html(
                $"And <a href=\"{request.Href(path)}\">{Shown.Many(all.Count - Most, more)}</a>{rest}."));
        }
    }

    // Only the jobs of the first page are known.
    private static string Among(IReadOnlyList<Job> jobs) => jobs.Count < Reads.JobsPerPage ? "" : $" among the first {jobs.Count} by name";

    // A finding names what is paused. The others whose names contain this one need not be.
    private static Markup Link(DashboardRequest request, string path, int count, string name)
        => Html($"<a href=\"{request.Href(NameCard.Address(path, count, new NamePlace(name, "paused")))}\">{Ui.Name(name)}</a>");

    private static Markup Link(DashboardRequest request, Job job)
        => Html($"<a href=\"{request.Href($"jobs/{job.Id}")}\">{Ui.Name(job.Name)}</a>");

    private static Markup AllIsWell(QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes)
    {
        var alive = nodes.Count(static node => node.State == NodeState.Alive);
        var oldest = snapshot.Queues.Max(static queue => queue.OldestDue);
        var wait = oldest is { } age ? $"the oldest due entry has waited {Shown.Duration(age)}" : "no entry is waiting to be started";
        return Item("", "completed", alive == 0
            ? Html($"Nothing waits, and no node is alive.")
            : Html($"All is well: {Shown.Many(alive, "node")} alive, {wait}."));
    }

    private static Markup Item(string tone, string icon, Markup text)
        => Html($"<li class=\"{tone}\">{Icon.Of(icon)}<span>{text}</span></li>\n");
}
