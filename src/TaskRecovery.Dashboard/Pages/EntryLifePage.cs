using TaskRecovery.Dashboard.Charts;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>One entry: what it is, its whole life, and its data.</summary>
internal sealed class EntryLifePage(Reads reads, EntryData data, TraceLink traces) : IPage
{
    public string Route => "entries/{id:long}";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var id = request.Id;
        if (await reads.LifeAsync(request, id).ConfigureAwait(false) is not { } stored)
        {
            return MissingPage.Of(
                Section.Entries, $"Entry {id}", "There is no such entry",
                "It never existed, or retention has removed it. Completed entries are kept for a day by default.");
        }

        var life = LifeList.Bounded(stored);
        var entry = life.Entry;
        var log = await data.LogAsync(request, life).ConfigureAwait(false);
        var parts = await data.RenderAsync(request, life).ConfigureAwait(false);
        return new Page($"Entry {id} · {entry.Kind}", Section.Entries, Html($"""
            {Progress(request, life)}
            {Facts(request, life)}
            <div class="columns wide-first">
            <div class="stack">{LifeCard(request, life)}{log}</div>
            <div class="stack">{parts}</div>
            </div>
            """))
        {
            Heading = Html($"<bdi>{entry.Kind}</bdi>"),
            Crumb = Html($"<a href=\"{request.Href("entries")}\">Entries</a> / <span class=\"mono\">{id}</span> <button type=\"button\" "
                + $"class=\"plain small script-only\" data-copy=\"{id}\">copy</button>"),
            Tools = Actions(request, life),
            Live = TimeSpan.FromSeconds(entry.EndedAt is null ? 2 : 10),
            Opened = request.Access.Data ? $"entry {id}" : null,
        };
    }

    private static Markup Actions(DashboardRequest request, EntryLife life)
    {
        if (!request.Access.Operate)
        {
            return default;
        }

        var id = life.Entry.Id;
        return life.Entry.State switch
        {
            EntryState.Failed or EntryState.Cancelled => Html($"""
                <form method="post" action="{request.Href($"entries/{id}/retry")}" class="actions">
                {When(life.Steps.Count > 0 || life.Checkpoint is not null, Html(
                    $"<label class=\"hidden\" for=\"retry-from\">Retry from</label><select id=\"retry-from\" name=\"from\">"
                    + $"<option value=\"step\">after its last step</option><option value=\"start\">from the start</option></select>"))}
                <span class="act"><button class="main" data-act="retry">{Icon.Of("retry")}Retry</button>{Ui.Why(
                    $"Retry entry {id}", "main")}</span></form>
                """),
            EntryState.Waiting => Ui.Act(request.Href($"entries/{id}/cancel"), "Cancel", $"entry {id}", "danger", "cancel"),
            EntryState.Running when !life.Entry.CancelRequested => Ui.Act(
                request.Href($"entries/{id}/cancel"), "Ask to stop", $"entry {id}", "danger", "cancel"),
            _ => default,
        };
    }

    private Markup Facts(DashboardRequest request, EntryLife life)
    {
        var entry = life.Entry;
        return Html($"""
            <section class="card" aria-label="Facts"><div class="body"><dl class="facts">
            {Ui.Fact("State", State(life))}
            {Ui.Fact("Queue", Html($"<a href=\"{request.Href(
                $"entries?queue={Uri.EscapeDataString(entry.Queue)}")}\">{Ui.Name(entry.Queue)}</a>, priority {entry.Priority}"))}
            {Ui.Fact("Attempt", Html($"{entry.Attempt} of {entry.MaxAttempts}{Ui.Crashes(entry.Crashes)}"))}
            {Ui.Fact("Stored", Shown.Ago(entry.CreatedAt))}
            {Ui.Fact("Due", entry.RunAt is { } due ? Shown.Ago(due) : default)}
            {Ui.Fact("Node", entry.Node is { } node ? Html($"{Ui.Name(node)}{When(
                life.Claim is not null, Html($"<span class=\"muted\">, fence {life.Claim?.Fence ?? 0}</span>"))}") : default)}
            {Ui.Fact("Time limit", entry.Timeout is { } limit ? Html($"{Shown.Duration(limit)} an attempt") : default)}
            {Ui.Fact("Task of", life.Task is { } task
                ? Html($"<a href=\"{request.Href($"jobs/{task.JobId}")}\"><bdi>{life.JobName ?? "a deleted job"}</bdi></a>")
                : default)}
            {Ui.Fact("Trace", traces.Render(life.TraceParent))}
            {data.Key(request, life)}
            {data.Metadata(request, life)}
            </dl></div></section>
            """);
    }

    private static Markup State(EntryLife life) => Html(
        $"{Ui.State(life.Entry.State, life.Entry.RunAt, life.ReadAt)}"
        + $"{When(life.Entry.Reason is not null, Html($" <span class=\"muted\">{Ui.Words(life.Entry.Reason ?? "")}</span>"))}"
        + $"{When(life.CancelRequestedAt is not null, Html(
            $"<span class=\"sub\">asked to stop {Shown.Ago(life.CancelRequestedAt)}</span>"))}");

    private Markup Progress(DashboardRequest request, EntryLife life)
    {
        if (life.Progress is not { } progress || life.Entry.State != EntryState.Running)
        {
            return default;
        }

        var share = progress.Total is > 0 and { } total
            ? Html($"<progress class=\"progress\" max=\"{total}\" value=\"{Math.Min(progress.Done, total)}\" "
                + $"aria-label=\"Progress\"></progress>")
            : default;
        var count = progress.Total is { } all ? $"{Shown.Number(progress.Done)} of {Shown.Number(all)}" : Shown.Number(progress.Done);
        return Html($"""
            <section class="card" aria-label="Progress"><div class="body"><div class="progress-line"><strong>{count}</strong>
                <span>{data.Message(request, life)}</span>
                    <span class="muted">{Shown.Ago(progress.ReportedAt)}</span></div>{share}</div></section>
            """);
    }

    private Markup LifeCard(DashboardRequest request, EntryLife life)
        => Ui.Card("Life", Ui.Body(Html($"{LifeChart.Render(life)}{LifeList.Render(request, life, data)}")), Html(
            $"<span class=\"muted\">{Runs(life)}</span>"));

    private static string Runs(EntryLife life)
    {
        var runs = life.Runs.Count(static run => run.StartedAt is not null) + (life.Claim is null ? 0 : 1);
        var lost = life.Runs.Count(static run => run.End == EntryRunEnd.Lost);
        return Shown.Many(life.OlderRuns + runs, "run")
            + (lost == 0 ? "" : $", {lost} lost with {(lost == 1 ? "its node" : "their nodes")}");
    }
}
