using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The table of queues.</summary>
internal static class QueueTable
{
    private const int MaxOnOverview = 8;

    public static Markup Card(DashboardRequest request, QueueSnapshot snapshot, bool withActions)
    {
        if (snapshot.Queues.Count == 0)
        {
            return Ui.Card("Queues", Ui.Empty(
                "queues", "There is no queue yet", "A queue appears when its first entry is stored, or when a node serves it."));
        }

        Column[] columns =
        [
            new("Queue", "name-cell"), Column.Number("Due"), new("Oldest", "number"),
            Column.Number("Later"), Column.Number("Running"), new("Served by"),
            .. withActions ? (Column[])[Column.Actions()] : [],
        ];
        return withActions
            ? NameCard.Render(request, "queues", snapshot.Queues, static queue => queue.Name, NameFilters.OfQueues, Render)
            : Ui.Card(
                "Queues", Render(MostUrgent(snapshot.Queues)),
                Html($"<a class=\"muted\" href=\"{request.Href("queues")}\">{(snapshot.Queues.Count > MaxOnOverview
                    ? $"All {snapshot.Queues.Count} queues"
                    : "All queues")}</a>"));

        Markup Render(IEnumerable<QueueSummary> queues)
            => new Table("Queues", columns).Render(queues.Select(queue => Row(request, queue, withActions)));
    }

    private static IEnumerable<QueueSummary> MostUrgent(IReadOnlyList<QueueSummary> queues) => queues.Count <= MaxOnOverview
        ? queues
        : queues.OrderBy(static queue => queue.Pause is null).ThenByDescending(static queue => queue.OldestDue).ThenByDescending(
            static queue => queue.Due.Value)
            .Take(MaxOnOverview);

    private static Row Row(DashboardRequest request, QueueSummary queue, bool withActions)
    {
        var name = Uri.EscapeDataString(queue.Name);
        var id = $"q-{name}";
        Markup[] cells =
        [
            Html($"<a href=\"{request.Href($"entries?queue={name}")}\">{Ui.Name(queue.Name)}</a>{Pauses.Below(queue.Pause)}"),
            Html($"<a href=\"{request.Href($"entries?queue={name}&state=waiting")}\">{Shown.Number(queue.Due)}</a>"),
            queue.OldestDue is { } age ? Html($"{Shown.Duration(age)}") : Ui.None,
            Html($"{Shown.Number(queue.Later)}"),
            Html($"{Shown.Number(queue.Running)}{When(
                queue.Concurrency > 0, Html($"<span class=\"muted\"> / {Shown.Number(queue.Concurrency)}</span>"))}"),
            queue.Nodes == 0 ? Html($"<span class=\"tone-lost\">no node</span>") : Html($"{Shown.Many(queue.Nodes, "node")}"),
        ];
        return withActions ? new Row(id, [.. cells, Pauses.Actions(request, "queues", queue.Name, queue.Pause)]) : new Row(id, cells);
    }
}
