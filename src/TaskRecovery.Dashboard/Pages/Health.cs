using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The state of the system in sentences: what needs a person first, and one calm sentence if nothing does.</summary>
internal static class Health
{
    // How many of the same kind are named.
    private const int Most = 3;

    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(1);

    public static Markup Render(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes, IReadOnlyList<KindSummary> kinds,
        IReadOnlyList<Job> jobs)
    {
        var findings = Find(request, snapshot, nodes, kinds).Concat(Paused(request, snapshot, kinds, jobs))
            .Concat(Late(request, snapshot)).Concat(Orphaned(request, jobs)).Where(static finding => !finding.IsEmpty).ToList();
        return Html(
            $"<ul class=\"health\" aria-label=\"Health\">"
            + $"{(findings.Count > 0 ? Each(findings, finding => finding) : AllIsWell(snapshot, nodes))}</ul>");
    }

    private static IEnumerable<Markup> Find(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes, IReadOnlyList<KindSummary> kinds)
    {
        var due = snapshot.Queues.Sum(static queue => queue.Due.Value);
        if (!nodes.Any(static node => node.State == NodeState.Alive) && due > 0)
        {
            yield return Item(
                "bad", "failed", Html($"No node is alive. {Shown.Many(due, "entry", "entries")} {(due == 1 ? "waits" : "wait")} for one."));
        }

        var silent = nodes.Where(static node => node.State == NodeState.Silent).ToList();
        foreach (var node in silent.Take(Most))
        {
            yield return Item("warn", "warn", Html(
                $"<a href=\"{request.Href("nodes")}\">{Ui.Name(node.Name)}</a> has been silent for {Shown.Duration(node.HeartbeatAge)} "
                + $"and holds {Shown.Many(node.Entries, "entry", "entries")}. They run elsewhere once it is declared dead."));
        }

        yield return More(request, silent.Count, "warn", "more silent node", "nodes");
        var unknown = kinds.Where(static kind => kind is { Nodes: 0, Waiting.Value: > 0 }).ToList();
        foreach (var kind in unknown.Take(Most))
        {
            yield return Item("warn", "kinds", Html(
                $"{Shown.Many(kind.Waiting.Value, "entry", "entries")} of {KindLink.Of(request, kind.Name, Ui.Name(kind.Name), "waiting")} "
                + $"{(kind.Waiting.Value == 1 ? "waits" : "wait")}: no living node has a worker for this kind. "
                + $"Start one that registers it."));
        }

        yield return More(request, unknown.Count, "kinds", "more kind", "kinds", " without a worker");
    }

    private static IEnumerable<Markup> Paused(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<KindSummary> kinds, IReadOnlyList<Job> jobs)
    {
        var pausedQueues = snapshot.Queues.Where(static queue => queue.Pause is not null).ToList();
        foreach (var queue in pausedQueues.Take(Most))
        {
            yield return Item("warn", "pause", Html(
                $"The queue <a href=\"{request.Href("queues")}\">{Ui.Name(queue.Name)}</a> is paused{Pauses.Words(queue.Pause!)}. "
                + $"{Shown.Number(queue.Due)} due."));
        }

        yield return More(request, pausedQueues.Count, "pause", "more paused queue", "queues");
        var pausedKinds = kinds.Where(static kind => kind.Pause is not null).ToList();
        foreach (var kind in pausedKinds.Take(Most))
        {
            yield return Item("warn", "pause", Html(
                $"The kind <a href=\"{request.Href("kinds")}\">{Ui.Name(kind.Name)}</a> is paused{Pauses.Words(kind.Pause!)}. "
                + $"{Shown.Number(kind.Waiting)} waiting."));
        }

        yield return More(request, pausedKinds.Count, "pause", "more paused kind", "kinds");
        var pausedJobs = jobs.Where(static job => job.State == JobState.Paused).ToList();
        foreach (var job in pausedJobs.Take(Most))
        {
            yield return Item("warn", "pause", Html(
                $"The job {Link(request, job)} is paused{(job.Pause is { } pause ? JobsPage.Paused(pause) : default)}."));
        }

        yield return More(request, pausedJobs.Count, "pause", "more paused job", "jobs", Among(jobs));
    }

    private static IEnumerable<Markup> Late(DashboardRequest request, QueueSnapshot snapshot)
    {
        var late = snapshot.Queues.Where(static queue => queue.Pause is null && queue.OldestDue > LongWait)
            .OrderByDescending(static queue => queue.OldestDue).ToList();
        foreach (var queue in late.Take(Most))
        {
            yield return Item("warn", "waiting", Html(
                $"The oldest due entry of <a "
                + $"href=\"{request.Href("entries?state=waiting&queue=" + Uri.EscapeDataString(queue.Name))}\">{Ui.Name(queue.Name)}</a> "
                + $"has waited {Shown.Duration(queue.OldestDue!.Value)}{(queue.Nodes == 0 ? ": no living node serves this queue" : "")}."));
        }

        yield return More(request, late.Count, "waiting", "more queue", "queues", " with a long wait");
    }

    private static IEnumerable<Markup> Orphaned(DashboardRequest request, IReadOnlyList<Job> jobs)
    {
        var orphaned = jobs.Where(static job => job is { OrphanedAt: not null, State: not JobState.Ended }).ToList();
        foreach (var job in orphaned.Take(Most))
        {
            yield return Item("warn", "jobs", Html(
                $"The job {Link(request, job)} is orphaned: {Ui.Name(job.DeclaredBy ?? "its application")} has not declared it "
                + $"since {Shown.Clock(job.OrphanedAt)}."));
        }

        yield return More(request, orphaned.Count, "jobs", "more orphaned job", "jobs", Among(jobs));
    }

    // What is not named is counted, so that the list does not look complete. Empty if everything is named.
    private static Markup More(DashboardRequest request, int all, string icon, string what, string path, string rest = "")
        => When(all > Most, Item("warn", icon, Html(
            $"And <a href=\"{request.Href(path)}\">{Shown.Many(all - Most, what)}</a>{rest}.")));

    // Only the jobs of the first page are known.
    private static string Among(IReadOnlyList<Job> jobs) => jobs.Count < Reads.JobsPerPage ? "" : $" among the first {jobs.Count} by name";

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
