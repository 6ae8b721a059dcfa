using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Entries by state, with filters, groups and bulk actions.</summary>
internal sealed class EntriesPage(Reads reads, TimeProvider time) : IPage
{
    private static readonly (string? Key, string Name)[] States =
        [(null, "All"), ("waiting", "Waiting"), ("running", "Running"),
            ("failed", "Failed"), ("cancelled", "Cancelled"), ("completed", "Completed")];

    private static readonly (EntryGrouping By, string Key, string Name)[] Groupings =
        [(EntryGrouping.Kind, "kind", "kind"), (EntryGrouping.Reason, "reason", "reason"), (EntryGrouping.Queue, "queue", "queue")];

    public string Route => "entries";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var form = EntryForm.Read(request);
        var snapshot = await reads.TrySnapshotAsync(request).ConfigureAwait(false);
        var content = form.IsRefused
            ? Ui.Notice("bad", "lock", Html($"{EntryForm.Refused(request.Access)}"))
            : form.Problems.Count > 0
                ? Each(form.Problems, problem => Ui.Notice("bad", "warn", Html($"{problem}")))
                : request.Query("group") is { } group && Groupings.FirstOrDefault(one => one.Key == group) is { Key: not null } by
                    ? await GroupAsync(request, form, by).ConfigureAwait(false)
                    : await ListAsync(request, form).ConfigureAwait(false);
        return new Page("Entries", Section.Entries, Html($"""
            {Tabs(request, form, form.IsCounted ? snapshot : null)}
            {FilterForm.Render(request, form)}
            {content}
            """))
        {
            Live = request.Query("group") is null ? form.Live : null,
        };
    }

    private static Markup Tabs(DashboardRequest request, EntryForm form, QueueSnapshot? snapshot)
    {
        IReadOnlyList<QueueSummary> counted = snapshot is null ? []
            : form["queue"] is null ? snapshot.Queues
            : [.. snapshot.Queues.Where(queue => queue.Name == form["queue"])];
        return Ui.Tabs("State", States.Select(state => (
            request.Href($"entries?{form.With("state", state.Key)}"),
            Html($"{state.Name}{(snapshot is null ? default : Tally(state.Key, form, counted, snapshot))}"),
            form["state"] == state.Key)));
    }

    private static Markup Tally(string? state, EntryForm form, IReadOnlyList<QueueSummary> queues, QueueSnapshot snapshot)
    {
        var count = state switch
        {
            "waiting" => Counts.Sum(queues.Select(static queue => queue.Due).Concat(queues.Select(static queue => queue.Later))),
            "running" => Counts.Sum(queues.Select(static queue => queue.Running)),
            "failed" when form["queue"] is null => snapshot.Failed,
            "cancelled" when form["queue"] is null => snapshot.Cancelled,
            _ => (Count?)null,
        };
        return count is { Value: > 0 } number
            ? Html($"<span class=\"number\">{Shown.Short(number)}</span>")
            : default;
    }

    private async ValueTask<Markup> ListAsync(DashboardRequest request, EntryForm form)
    {
        var page = await reads.EntriesAsync(request, form).ConfigureAwait(false);
        if (page.Entries.Count == 0 && page.IsComplete)
        {
            return Ui.Card("Entries", form.HasFilter || form["state"] is not null
                ? Ui.Empty("search", "Nothing matches", "No entry that is still kept satisfies these conditions.")
                : Ui.Empty("entries", "There is no entry yet", "Entries appear here as soon as the application enqueues its first one."));
        }

        var bulk = request.Access.Operate ? EntryBulk.Bar(request, form, page) : default;
        return Html($"""
            <section class="card">
            {EntryTable.Render(request, page.Entries, time.GetUtcNow(), canPick: request.Access.Operate)}
            {bulk}
            <footer>{Range(page)}{Further(request, form, page)}</footer>
            </section>
            """);
    }

    private static Markup Range(EntrySummaryPage page)
        => page.IsComplete || page.SearchedBackTo is null
            ? Html($"<span>{Shown.Many(page.Entries.Count, "entry", "entries")}{(page.IsComplete ? ", the end of the list" : "")}</span>")
            : Html(
                $"<span>{Shown.Many(page.Entries.Count, "entry", "entries")}; searched back to {Shown.Clock(page.SearchedBackTo)}</span>");

    private static Markup Further(DashboardRequest request, EntryForm form, EntrySummaryPage page)
    {
        if (page.NextBefore is not { } before)
        {
            return default;
        }

        var text = page.Entries.Count < EntryForm.PageSize ? "Look further" : "Older";
        var address = form.Address.Length == 0 ? "" : form.Address + "&";
        return Html($"<a class=\"button small\" href=\"{request.Href($"entries?{address}before={before}")}\">{text}</a>");
    }

    private async ValueTask<Markup> GroupAsync(DashboardRequest request, EntryForm form, (EntryGrouping By, string Key, string Name) by)
    {
        var groups = await reads.GroupsAsync(request, form, by.By).ConfigureAwait(false);
        if (groups.Groups.Count == 0)
        {
            return Ui.Card(
                $"By {by.Name}", Ui.Empty("search", "Nothing matches", "No entry that is still kept satisfies these conditions."));
        }

        var table = new Table(
            $"Entries by {by.Name}", new Column(char.ToUpperInvariant(by.Name[0]) + by.Name[1..], "name-cell"), Column.Number("Entries"));
        return Ui.Card(
            $"By {by.Name}",
            table.Render(groups.Groups.Select(group => new Row(
                null,
                GroupLink(request, form, by.Key, group.Key),
                Html($"{Shown.Number(group.Entries)}")))),
            footer: groups.IsComplete ? default : Html(
                $"<span>Only the newest entries were counted, back to {Shown.Clock(groups.SearchedBackTo)}.</span>"));
    }

    private static Markup GroupLink(DashboardRequest request, EntryForm form, string by, string key)
    {
        var name = Ui.Name(key.Length == 0 ? "none" : by == "reason" ? Ui.Words(key) : key);

        // No filter selects the entries without a reason alone, and an action on all that match would change all.
        return key.Length == 0 || (by == "kind" && !KindLink.IsFilter(key))
            ? name
            : Html($"<a href=\"{request.Href($"entries?{form.With(by, key)}")}\">{name}</a>");
    }
}
