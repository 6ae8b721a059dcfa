using TaskRecovery.Dashboard.Charts;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The first page: is all well, and if not, where to look.</summary>
internal sealed class OverviewPage(Reads reads) : IPage
{
    // The page is drawn every two seconds: to count 100,000 failed entries by kind and by reason took most of its time.
    private const int NewestFailed = 5_000;

    private static readonly (string Key, string Name, TimeSpan Length, TimeSpan Bucket)[] Ranges =
    [
        ("1h", "hour", TimeSpan.FromHours(1), TimeSpan.FromMinutes(1)),
        ("24h", "24 hours", TimeSpan.FromHours(24), TimeSpan.FromMinutes(20)),
        ("7d", "7 days", TimeSpan.FromDays(7), TimeSpan.FromHours(2)),
        ("90d", "90 days", TimeSpan.FromDays(90), TimeSpan.FromDays(1)),
    ];

    public string Route => "";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (request.Access.Scope is not null)
        {
            return await ScopedAsync(request).ConfigureAwait(false);
        }

        if (await reads.TrySnapshotAsync(request).ConfigureAwait(false) is not { } snapshot)
        {
            var latest = await EventsAsync(request).ConfigureAwait(false);
            return new Page("Overview", Section.Overview, Html($"""
                {Ui.Notice("bad", "warn", Html(
                    $"Counting the entries takes too long at the moment, so that there are no numbers here. The other pages still work."))}
                {latest}
                """))
            {
                Live = TimeSpan.FromSeconds(5),
            };
        }

        // The read model answers two questions at a time, each on one connection, so that none of these can wait for another one for ever.
        var nodesRead = reads.NodesAsync(request).AsTask();
        var kindsRead = reads.KindsAsync(request).AsTask();
        var jobsRead = reads.JobsAsync(request, after: null).AsTask();
        var failedRead = FailedAsync(request).AsTask();
        var throughputRead = ThroughputAsync(request, snapshot).AsTask();
        var eventsRead = EventsAsync(request).AsTask();
        await Task.WhenAll(nodesRead, kindsRead, jobsRead, failedRead, throughputRead, eventsRead).ConfigureAwait(false);
        var nodes = await nodesRead.ConfigureAwait(false);
        var kinds = await kindsRead.ConfigureAwait(false);
        var jobs = await jobsRead.ConfigureAwait(false);
        var failed = await failedRead.ConfigureAwait(false);
        var throughput = await throughputRead.ConfigureAwait(false);
        var events = await eventsRead.ConfigureAwait(false);
        var overdue = await reads.OverdueJobsAsync(request, jobs, snapshot.TakenAt).ConfigureAwait(false);
        return new Page("Overview", Section.Overview, Html($"""
            {Health.Render(request, snapshot, nodes, kinds, jobs.Jobs, overdue)}
            {Tiles(request, snapshot, nodes)}
            {throughput}
            <div class="columns wide-first">
            {QueueTable.Card(request, snapshot, withActions: false)}
            {FailureCard(request, failed)}
            </div>
            {events}
            """))
        {
            Live = TimeSpan.FromSeconds(2),
        };
    }

    // What belongs to a part of the system: neither nodes nor events, and no number that counts more than the part.
    private async ValueTask<Page> ScopedAsync(DashboardRequest request)
    {
        var snapshot = request.Access.SeesWholeQueues ? await reads.TrySnapshotAsync(request).ConfigureAwait(false) : null;
        var failed = await FailedAsync(request).ConfigureAwait(false);
        return new Page("Overview", Section.Overview, Html($"""
            {Ui.Notice("", "lock", Html($"You see a part of the entries. Numbers of the whole system are not shown."))}
            {(snapshot is null ? default : QueueTable.Card(request, snapshot, withActions: false))}
            {FailureCard(request, failed)}
            """))
        {
            Live = request.Access.Scope?.Metadata is null ? TimeSpan.FromSeconds(2) : null,
        };
    }

    private static Markup Tiles(DashboardRequest request, QueueSnapshot snapshot, IReadOnlyList<NodeSummary> nodes)
    {
        var capacity = snapshot.Queues.Sum(static queue => (long)queue.Concurrency);
        var hour = snapshot.LastHour;
        var oldest = snapshot.Queues.Max(static queue => queue.OldestDue);
        var silent = nodes.Count(static node => node.State == NodeState.Silent);
        return Html($"""
            <div class="tiles">
            {Tile(request, "entries?state=waiting", "waiting", "Due", Sum(
                snapshot, static queue => queue.Due), oldest is { } age ? $"oldest {Shown.Duration(age)}" : "nothing waits")}
            {Tile(request, "entries?state=waiting", "later", "Later", Sum(
                snapshot, static queue => queue.Later), "due in the future")}
            {Tile(request, "entries?state=running", "running", "Running", Sum(
                snapshot, static queue => queue.Running), capacity > 0
                ? $"of {Shown.Number(capacity)} at once"
                : "no capacity")}
            {Tile(request, "entries?state=completed", "completed", "Completed", Shown.Number(hour.Completed), "in the last hour")}
            {Tile(request, "entries?state=failed", "failed", "Failed", Shown.Number(snapshot.Failed), $"kept; {Shown.Number(hour.Failed)} "
                + "in the last hour", snapshot.Failed.Value > 0)}
            {Tile(request, "nodes", "nodes", "Nodes", Shown.Number(
                nodes.Count(static node => node.State == NodeState.Alive)), silent > 0 ? $"alive; {silent} silent" : "alive")}
            </div>
            """);
    }

    private static Markup Tile(
        DashboardRequest request, string path, string icon, string name, string value, string note, bool isBad = false) => Html($"""
        <a href="{request.Href(path)}"><span class="name"><span class="tone-{icon}">{Icon.Of(icon)}</span>{name}</span><span
            class="value{(isBad ? " bad" : "")}">{value}</span><span class="note">{note}</span></a>

        """);

    private static string Sum(QueueSnapshot snapshot, Func<QueueSummary, Count> count)
        => Shown.Number(Counts.Sum(snapshot.Queues.Select(count)));

    private async ValueTask<Markup> ThroughputAsync(DashboardRequest request, QueueSnapshot snapshot)
    {
        if (!reads.Has(MonitorFeatures.Statistics))
        {
            return default;
        }

        var range = Ranges.FirstOrDefault(one => one.Key == request.Query("range"), Ranges[0]);
        var end = new DateTimeOffset(((snapshot.TakenAt.UtcTicks / range.Bucket.Ticks) + 1) * range.Bucket.Ticks, TimeSpan.Zero);
        var throughput = await reads.ThroughputAsync(
            request, $"{range.Key} {end:O}",
            new ThroughputQuery { From = end - range.Length, To = end, Bucket = range.Bucket }).ConfigureAwait(false);
        IReadOnlyList<ThroughputPoint> points = throughput.Series is [var series, ..] ? series.Points : [];
        var tabs = Ui.Tabs("Range", Ranges.Select(one => ($"{request.Root}?range={one.Key}", Html($"{one.Key}"), one.Key == range.Key)));
        return Ui.Card(
            $"Entries per {Unit(throughput.Bucket)}",
            Ui.Body(
                Html($"{ThroughputChart.Render(points, throughput.Bucket, range.Name)}{ThroughputChart.Table(points, throughput.Bucket)}")),
            tabs);
    }

    private static string Unit(TimeSpan bucket) => bucket == TimeSpan.FromMinutes(1) ? "minute"
        : bucket == TimeSpan.FromHours(1) ? "hour"
        : bucket == TimeSpan.FromDays(1) ? "day"
        : Shown.Duration(bucket);

    private async ValueTask<(EntryGroups Kinds, EntryGroups Reasons)> FailedAsync(DashboardRequest request)
    {
        var form = EntryForm.Parse("state=failed", request.Access);

        // None of the newest ones may belong to the part that a user sees, or have failed: cancelled ones are examined too.
        int? newest = request.Access.Scope is null ? NewestFailed : null;
        var kinds = await reads.GroupsAsync(request, form, EntryGrouping.Kind, newest).ConfigureAwait(false);
        if (kinds is { Groups.Count: 0, IsComplete: false })
        {
            newest = null;
            kinds = await reads.GroupsAsync(request, form, EntryGrouping.Kind).ConfigureAwait(false);
        }

        return (kinds, await reads.GroupsAsync(request, form, EntryGrouping.Reason, newest).ConfigureAwait(false));
    }

    private static Markup FailureCard(DashboardRequest request, (EntryGroups Kinds, EntryGroups Reasons) failed)
    {
        if (failed.Kinds.Groups.Count == 0)
        {
            return Ui.Card("Failures", Ui.Empty(
                "completed", "Nothing has failed",
                "Failed entries appear here by kind and reason, until they are retried or retention removes them."));
        }

        return Ui.Card(
            "Failures",
            Html($"""
                {new Table("Failed entries by kind", new Column("Kind", "name-cell"), Column.Number("Failed")).Render(
                    failed.Kinds.Groups.Take(6).Select(group => Group(request, "kind", group)))}
                {new Table("Failed entries by reason", new Column("Reason", "name-cell"), Column.Number("Failed")).Render(
                    failed.Reasons.Groups.Take(4).Select(group => Group(request, "reason", group)))}
                """),
            footer: failed.Kinds.IsComplete
                ? default
                : Html($"<span>Only the newest were counted, back to {Shown.Clock(failed.Kinds.SearchedBackTo)}.</span>"));
    }

    private static Row Group(DashboardRequest request, string name, EntryGroup group)
    {
        var href = request.Href($"entries?state=failed&{name}={Uri.EscapeDataString(group.Key)}");
        var text = group.Key.Length == 0 ? "without a reason" : name == "reason" ? Ui.Words(group.Key) : group.Key;

        // No filter selects the entries without a reason alone.
        var link = name == "kind" ? KindLink.Of(request, group.Key, Ui.Name(text), "failed")
            : group.Key.Length == 0 ? Ui.Name(text)
            : Html($"<a href=\"{href}\">{Ui.Name(text)}</a>");
        return new Row(null, link, Html($"{Shown.Number(group.Entries)}"));
    }

    private async ValueTask<Markup> EventsAsync(DashboardRequest request)
    {
        if (!reads.Has(MonitorFeatures.Events))
        {
            return default;
        }

        var page = await reads.EventsAsync(request, new EventQuery { Limit = 8 }).ConfigureAwait(false);
        return Ui.Card(
            "Last events",
            page.Events.Count == 0
                ? Ui.Empty(
                    "events", "Nothing has happened yet", "Nodes that join or die, recoveries and the actions of operators appear here.")
                : Ui.Body(EventList.Render(request, page.Events)),
            Html($"<a class=\"muted\" href=\"{request.Href("events")}\">All events</a>"));
    }
}
