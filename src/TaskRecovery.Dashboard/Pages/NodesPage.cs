using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The nodes: who is alive, who is silent, and how each death was established.</summary>
internal sealed class NodesPage(Reads reads) : IPage
{
    private const int MaxQueues = 6;

    private static readonly Column[] Living =
        [new("Node", "name-cell"), new("State"), new("Heartbeat", "number"), new("Works on", "name-cell wide"),
            Column.Number("Holds"), new("Process", "name-cell wide"), new("Up for")];

    private static readonly Column[] Gone = [
        new("Node", "name-cell"), new("State"), new("When"), new("Proof", "name-cell wide"), new("Its work", "name-cell"), new("Lived for"),
        new("Machine", "name-cell")];

    private static readonly EventQuery Sweeps = new() { Kinds = [QueueEventKind.Swept], Limit = 200 };

    public string Route => "nodes";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (request.Access.Scope is not null)
        {
            return OutOfView.Of(Section.Nodes, "Nodes");
        }

        var nodes = await reads.NodesAsync(request).ConfigureAwait(false);
        var living = nodes.Where(static node => node.State is NodeState.Alive or NodeState.Silent).ToList();
        var gone = nodes.Where(static node => node.State is NodeState.Dead or NodeState.Left)
            .OrderByDescending(static node => node.DeadAt)
            .ToList();
        var sweeps = gone.Count > 0 && reads.Has(MonitorFeatures.Events)
            ? await reads.TryEventsAsync(request, Sweeps).ConfigureAwait(false)
            : null;
        return new Page("Nodes", Section.Nodes, Html($"""
            {(living.Count == 0
                ? Ui.Card("Here now", Ui.Empty(
                    "nodes", "No node is alive",
                    "A node appears when a process with workers has started. Entries wait meanwhile; nothing is lost."))
                : Ui.Card(
                    "Here now",
                    new Table("Nodes that are alive or silent", Living).Render(living.Select(node => LivingRow(request, node))),
                    Html($"<span class=\"muted\">{Capacity(living)}</span>")))}
            {When(gone.Count > 0, Ui.Card(
                "Gone", new Table("Nodes that died or left", Gone).Render(
                    gone.Select(node => GoneRow(request, node, Work(node, gone, sweeps))))))}
            """))
        {
            Live = TimeSpan.FromSeconds(2),
        };
    }

    private static string Capacity(List<NodeSummary> living)
    {
        var silent = living.Count(static node => node.State == NodeState.Silent);
        return $"{Shown.Number(living.Count - silent)} alive{(silent == 0 ? "" : $", {silent} silent")}; {Shown.Number(
            living.Sum(static node => node.Queues.Sum(static queue => (long)queue.Concurrency)))} entries at once";
    }

    private static Row LivingRow(DashboardRequest request, NodeSummary node) => new(
        $"n{node.Id:n}",
        Name(request, node),
        Html($"{Ui.State(node.State)}{When(!node.HoldsLock
            && node.State == NodeState.Alive, Html($"<span class=\"sub\">without its lock</span>"))}"),
        Html($"{Shown.Duration(node.HeartbeatAge)} ago"),
        Queues(node),
        Html($"<a href=\"{request.Href(
            $"entries?state=running&node={Uri.EscapeDataString(node.Name)}")}\">{Shown.Number(node.Entries)}</a>"),
        Process(node),
        Shown.Since(node.StartedAt));

    private static Markup Queues(NodeSummary node)
    {
        if (node.Queues.Count == 0)
        {
            return Html($"<span class=\"muted\">nothing</span>");
        }

        var more = node.Queues.Skip(MaxQueues).Select(static queue => queue.Name).ToList();
        return Html($"""
            <span class="tags">{Each(node.Queues.Take(MaxQueues), static queue => Html(
                $"<span class=\"tag\">{Ui.Name(queue.Name)} ×{queue.Concurrency}</span>"))}
            {When(more.Count > 0, Html($"<span class=\"tag\" title=\"{string.Join(", ", more)}\">{more.Count} more</span>"))}</span>
            """);
    }

    private static Markup Process(NodeSummary node) => Html(
        $"{Ui.Name(node.Machine)} · {node.ProcessId}{When(node.Vitals is not null, Html(
            $"<span class=\"sub\">{Shown.Bytes(node.Vitals?.WorkingSetBytes ?? 0)}, {node.Vitals?.CpuPercent ?? 0:0} % CPU</span>"))}");

    /// <summary>What became of the entries that a node held. The sweep that recovered them names the node, and a restarted process has the
    /// same name, so that a sweep belongs to the last death before it.</summary>
    private static Markup Work(NodeSummary node, List<NodeSummary> gone, EventPage? sweeps)
    {
        if (node is { State: NodeState.Left } or { DeadAt: null })
        {
            return Html($"released");
        }

        if (node.Entries > 0)
        {
            return Html($"<span class=\"tone-lost\">{Shown.Many(node.Entries, "entry", "entries")} not recovered yet</span>");
        }

        var next = gone.Where(other => other.Name == node.Name && other.DeadAt > node.DeadAt).Min(static other => other.DeadAt);
        var recovered = (sweeps?.Events ?? []).Where(sweep => sweep.Node == node.Name && sweep.At >= node.DeadAt
            && (next is null || sweep.At < next)).Sum(static sweep => sweep.Entries ?? 0);
        return recovered > 0 ? Html($"{Shown.Many(recovered, "entry", "entries")} recovered")
            : sweeps is { NextBefore: null } ? Html($"it held none")
            : Ui.None;
    }

    private static Row GoneRow(DashboardRequest request, NodeSummary node, Markup work) => new(
        $"n{node.Id:n}",
        Name(request, node),
        Ui.State(node.State),
        Shown.Ago(node.DeadAt),
        node.State == NodeState.Left
            ? Html($"it stopped by itself")
            : Html($"{Shown.Proof(node.Proof)}{(node.DeclaredBy is null ? "" : ", seen by ")}{Ui.Name(node.DeclaredBy)}"),
        work,
        node.DeadAt is { } end ? Html($"{Shown.Duration(end - node.StartedAt)}") : default,
        Html($"{Ui.Name(node.Machine)} · {node.ProcessId}"));

    private static Markup Name(DashboardRequest request, NodeSummary node) => Html(
        $"<a href=\"{request.Href($"events?node={Uri.EscapeDataString(node.Name)}")}\">{Ui.Name(node.Name)}</a>{When(
            node.ApplicationVersion is not null, Html($"<span class=\"sub\">version {Ui.Name(node.ApplicationVersion)}</span>"))}");
}
