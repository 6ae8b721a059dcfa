using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What happened: to nodes, in recovery, and by operators.</summary>
internal sealed class EventsPage(Reads reads) : IPage
{
    private static readonly (string Key, string Name, QueueEventKind[]? Kinds)[] Groups =
    [
        ("all", "All", null),
        ("nodes", "Nodes", [QueueEventKind.NodeJoined, QueueEventKind.NodeLeft, QueueEventKind.NodeDied]),
        ("recovery", "Recovery", [QueueEventKind.NodeDied, QueueEventKind.Swept, QueueEventKind.CrashLoop, QueueEventKind.WorkRecovered]),
        ("operators", "Operators",
        [
            QueueEventKind.EntryRetried, QueueEventKind.EntryCancelled,
            QueueEventKind.EntryErased, QueueEventKind.WorkRecovered, QueueEventKind.Paused, QueueEventKind.Resumed,
            QueueEventKind.JobTriggered, QueueEventKind.JobBackfilled, QueueEventKind.JobDeleted, QueueEventKind.OperationStarted,
            QueueEventKind.OperationEnded, QueueEventKind.OperationStopped, QueueEventKind.OperationUndone, QueueEventKind.Refused,
        ]),
    ];

    public string Route => "events";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (request.Access.Scope is not null)
        {
            return OutOfView.Of(Section.Events, "Events");
        }

        if (!reads.Has(MonitorFeatures.Events))
        {
            return new Page("Events", Section.Events, Ui.Card(
                "Events", Ui.Empty("events", "This store keeps no events", "Its log messages have them.")));
        }

        var group = Groups.FirstOrDefault(one => one.Key == request.Query("show"), Groups[0]);
        var before = request.Number("before");
        var node = request.Exact("node");
        var actor = request.Exact("actor");
        var query = new EventQuery { Kinds = group.Kinds, Before = before, Node = node, Actor = actor, Limit = 60 };
        var page = await reads.EventsAsync(request, query).ConfigureAwait(false);
        var rest = (node is null ? "" : $"&node={Uri.EscapeDataString(node)}")
            + (actor is null ? "" : $"&actor={Uri.EscapeDataString(actor)}");
        return new Page("Events", Section.Events, Html($"""
            {Ui.Tabs("Kind of event", Groups.Select(
                one => (request.Href($"events?show={one.Key}{rest}"), Html($"{one.Name}"), one.Key == group.Key)))}
            <section class="card">{(page is { Events.Count: 0, SearchedBackTo: not null }
                ? Ui.Empty("events", "None among the newest", "Older ones were not examined yet.")
                : page.Events.Count == 0
                ? Ui.Empty(
                    "events", "Nothing here yet",
                    "Nodes that join or die, recoveries and the actions of operators appear here. Events are kept for 30 days.")
                : Ui.Body(EventList.Render(request, page.Events)))}{When(page.NextBefore is not null, Html(
                    $"<footer><span></span><a class=\"button small\" "
                    + $"href=\"{request.Href($"events?show={group.Key}{rest}&before={page.NextBefore}")}\">Older</a></footer>"))}</section>
            """))
        {
            Live = before is null ? TimeSpan.FromSeconds(3) : null,
        };
    }
}
