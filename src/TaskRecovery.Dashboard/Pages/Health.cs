using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The state of the system in sentences: what needs a person first, and one calm sentence if nothing does.</summary>
internal static class Health
{
    private static readonly TimeSpan LongWait = TimeSpan.FromMinutes(1);

    public static Markup Render(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes, IReadOnlyList<KindSummary> kinds,
        IReadOnlyList<Job> jobs)
    {
        var findings = Find(request, snapshot, nodes, kinds).Concat(Paused(request, snapshot, kinds, jobs))
            .Concat(Late(request, snapshot)).Concat(Orphaned(request, jobs)).ToList();
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

        foreach (var node in nodes.Where(static node => node.State == NodeState.Silent).Take(3))
        {
            yield return Item("warn", "warn", Html(
                $"<a href=\"{request.Href("nodes")}\">{Ui.Name(node.Name)}</a> has been silent for {Shown.Duration(node.HeartbeatAge)} "
                + $"and holds {Shown.Many(node.Entries, "entry", "entries")}. They run elsewhere once it is declared dead."));
        }

        foreach (var kind in kinds.Where(static kind => kind is { Nodes: 0, Waiting.Value: > 0 }).Take(3))
        {
            yield return Item("warn", "kinds", Html(
                $"{Shown.Many(kind.Waiting.Value, "entry", "entries")} of {KindLink.Of(request, kind.Name, Ui.Name(kind.Name), "waiting")} "
                + $"{(kind.Waiting.Value == 1 ? "waits" : "wait")}: no living node has a worker for this kind. "
                + $"Start one that registers it."));
        }
    }

    private static IEnumerable<Markup> Paused(
        DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<KindSummary> kinds, IReadOnlyList<Job> jobs)
    {
        foreach (var queue in snapshot.Queues.Where(static queue => queue.Pause is not null).Take(3))
        {
            yield return Item("warn", "pause", Html(
                $"The queue <a href=\"{request.Href("queues")}\">{Ui.Name(queue.Name)}</a> is paused{Pauses.Words(queue.Pause!)}. "
                + $"{Shown.Number(queue.Due)} due."));
        }

        foreach (var kind in kinds.Where(static kind => kind.Pause is not null).Take(3))
        {
            yield return Item("warn", "pause", Html(
                $"The kind <a href=\"{request.Href("kinds")}\">{Ui.Name(kind.Name)}</a> is paused{Pauses.Words(kind.Pause!)}. "
                + $"{Shown.Number(kind.Waiting)} waiting."));
        }

        foreach (var job in jobs.Where(static job => job.State == JobState.Paused).Take(3))
        {
            yield return Item("warn", "pause", Html(
                $"The job {Link(request, job)} is paused{(job.Pause is { } pause ? JobsPage.Paused(pause) : default)}."));
        }
    }

    private static IEnumerable<Markup> Late(DashboardRequest request, QueueSnapshot snapshot)
    {
        foreach (var queue in snapshot.Queues.Where(static queue => queue.Pause is null
            && queue.OldestDue > LongWait).OrderByDescending(static queue => queue.OldestDue).Take(3))
        {
            yield return Item("warn", "waiting", Html(
                $"The oldest due entry of <a "
                + $"href=\"{request.Href("entries?state=waiting&queue=" + Uri.EscapeDataString(queue.Name))}\">{Ui.Name(queue.Name)}</a> "
                + $"has waited {Shown.Duration(queue.OldestDue!.Value)}{(queue.Nodes == 0 ? ": no living node serves this queue" : "")}."));
        }
    }

    private static IEnumerable<Markup> Orphaned(DashboardRequest request, IReadOnlyList<Job> jobs)
    {
        foreach (var job in jobs.Where(static job => job is { OrphanedAt: not null, State: not JobState.Ended }).Take(3))
        {
            yield return Item("warn", "jobs", Html(
                $"The job {Link(request, job)} is orphaned: {Ui.Name(job.DeclaredBy ?? "its application")} has not declared it "
                + $"since {Shown.Clock(job.OrphanedAt)}."));
        }
    }

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
