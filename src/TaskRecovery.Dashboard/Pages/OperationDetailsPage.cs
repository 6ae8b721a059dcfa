using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>One bulk operation: before it starts its preview, then its progress, and what it could not change.</summary>
internal sealed class OperationDetailsPage(Reads reads, EnvironmentBadge environment, TimeProvider time) : IPage
{
    private const int Sample = 10;

    public string Route => "operations/{id:long}";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var id = request.Id;
        if (await reads.OperationAsync(request, id).ConfigureAwait(false) is not { } operation)
        {
            return Missing(id);
        }

        var content = operation.State == OperationState.Prepared
            ? await PreviewAsync(request, operation).ConfigureAwait(false)
            : await ProgressAsync(request, operation).ConfigureAwait(false);
        return new Page(OperationsPage.Title(operation), Section.Operations, content)
        {
            Crumb = Html($"<a href=\"{request.Href("operations")}\">Operations</a> / <span class=\"mono\">{id}</span>"),
            Tools = request.Access.Operate ? await ToolsAsync(request, operation).ConfigureAwait(false) : default,
            Live = operation.State == OperationState.Running ? TimeSpan.FromSeconds(1) : null,
        };
    }

    /// <summary>The page of an operation that does not exist, or that the user does not see.</summary>
    public static Page Missing(long id) => MissingPage.Of(
        Section.Operations, $"Operation {id}", "There is no such operation",
        "It never existed, or it is older than the record of operations.");

    private async ValueTask<Markup> ToolsAsync(DashboardRequest request, BulkOperation one)
    {
        if (one.State == OperationState.Running)
        {
            return Ui.Act(request.Href($"operations/{one.Id}/stop"), "Stop", $"operation {one.Id}", "danger");
        }

        var (address, word) = (request.Href($"operations/{one.Id}/undo"), one.UndoneBy is null ? "Undo" : "Undo the rest");
        return await reads.LeftToUndoAsync(request, one).ConfigureAwait(false) switch
        {
            null => default,
            <= 1 => Ui.Act(address, word, $"operation {one.Id}"),

            // The undo of several entries is confirmed, as the operation was.
            _ => Html($"<a class=\"button\" href=\"{address}\">{word} …</a>"),
        };
    }

    private async ValueTask<Markup> PreviewAsync(DashboardRequest request, BulkOperation one)
    {
        var sample = await SampleAsync(request, one).ConfigureAwait(false);
        var verb = one.Action == BulkAction.Retry ? "Retry" : "Cancel";
        return Html($"""
            <section class="card"><div class="body preview">
            <p class="lead">{verb} <strong>{Shown.Number(one.Expected)}</strong> {(one.Expected.Value == 1 ? "entry" : "entries")} in
                {environment.Render()}?</p>
            <p class="muted">Entries that are stored from now on are not touched.
                {(one.Action == BulkAction.Retry
                    ? "Entries that have changed meanwhile are skipped. You can stop the operation at any time; what has not run yet can "
                        + "be ended again."
                    : "Waiting entries end at once; the handlers of running ones are asked to stop. You can stop the operation at any "
                        + "time, and undo it.")}</p>
            <dl class="facts">{OperationFacts.Render(request, one)}</dl>
            {When(request.Access.Operate, Html($"""
                <form method="post" action="{request.Href($"operations/{one.Id}/start")}" class="actions">
                    <div class="field reason"><label for="why">Why, if you like</label><input id="why" name="reason"
                        value="{one.Audit.Reason}" maxlength="{Ui.MaxReason}" autocomplete="off"></div>
                    <button class="main" data-act="start">{verb} {Shown.Number(one.Expected)}
                        {(one.Expected.Value == 1 ? "entry" : "entries")}</button>
                    <a class="button plain" href="{request.Href("entries")}">Keep them as they are</a></form>
                """))}
            </div></section>
            {(sample.Count == 0
                ? default
                : Ui.Card("The newest of them", EntryTable.Render(request, sample, time.GetUtcNow(), canPick: false)))}
            """);
    }

    private async ValueTask<IReadOnlyList<EntrySummary>> SampleAsync(DashboardRequest request, BulkOperation one)
    {
        if (one.SampleIds is { } ids)
        {
            return await reads.SampleAsync(request, one, ids).ConfigureAwait(false);
        }

        // What selects the entries may be data; then its sample is data too.
        var readsData = one.Query is { UniqueKey: not null } or { Metadata: not null } or { Text: not null };
        if (one.Query is not { States.Count: > 0 } query || (readsData && !request.Access.Search))
        {
            return [];
        }

        query = query with { Before = one.UpToId + 1, Limit = Sample };
        return (await reads.SampleAsync(request, one.Id, query).ConfigureAwait(false)).Entries;
    }

    private async ValueTask<Markup> ProgressAsync(DashboardRequest request, BulkOperation one)
    {
        var processed = one.Done + one.Refused;
        var total = Math.Max(one.Expected.Value, processed);
        var entries = await EntriesAsync(request, one).ConfigureAwait(false);
        return Html($"""
            <section class="card" aria-label="Progress"><div class="body">
            <progress class="progress{(one.State == OperationState.Ended ? " done" : "")}" max="{Math.Max(1, total)}"
                value="{(one.State == OperationState.Ended ? Math.Max(1, total) : processed)}" aria-label="Progress"></progress>
            <dl class="facts spaced">
            {Ui.Fact("State", OperationsPage.State(one))}
            {Ui.Fact("Changed", Html($"{Shown.Number(one.Done)} of {Shown.Number(one.Expected)}"))}
            {Ui.Fact("Could not be changed", Html($"{Shown.Number(one.Refused)}"))}
            {Ui.Fact("By", Html($"{Ui.Name(one.Audit.Actor)}{(one.Audit.Tool is null ? "" : $" ({one.Audit.Tool})")}"))}
            {Ui.Fact("Why", Ui.Text(one.Audit.Reason))}
            {OperationFacts.Render(request, one)}
            {Ui.Fact("Started", Shown.Ago(one.StartedAt))}
            {Ui.Fact("Took", one is { StartedAt: { } started, EndedAt: { } ended } ? Html($"{Shown.Duration(ended - started)}") : default)}
            {Ui.Fact("Undone by", one.UndoneBy is { } undo
                ? Html($"<a href=\"{request.Href($"operations/{undo}")}\">operation {undo}</a>")
                : default)}
            {Ui.Fact("Undoes", one.Undoes is { } undone
                ? Html($"<a href=\"{request.Href($"operations/{undone}")}\">operation {undone}</a>")
                : default)}
            </dl></div></section>
            {entries}
            """);
    }

    private async ValueTask<Markup> EntriesAsync(DashboardRequest request, BulkOperation one)
    {
        var onlyRefused = request.Query("show") == "refused";
        var after = request.Number("after");
        var page = await reads.OperationEntriesAsync(
            request,
            new OperationEntryQuery { OperationId = one.Id, OnlyRefused = onlyRefused, After = after, Limit = 50 }).ConfigureAwait(false);
        var address = $"operations/{one.Id}?{(onlyRefused ? "show=refused&" : "")}";
        return Ui.Card(
            "Entries",
            page.Entries.Count == 0
                ? Ui.Empty(
                    "entries", onlyRefused ? "None was refused" : "None yet",
                    onlyRefused ? "Every entry so far could be changed." : "Entries appear here as the operation gets to them.")
                : new Table("Processed entries", new Column("Entry"), new("Result")).Render(page.Entries.Select(entry => new Row(
                    null,
                    Html($"<a class=\"id\" href=\"{request.Href($"entries/{entry.EntryId}")}\">{entry.EntryId}</a>"),
                    entry.Result == OperatorResult.Done
                        ? Ui.State("completed", "Done")
                        : Html($"<span class=\"tone-lost\">{Why(entry.Result)}</span>")))),
            Ui.Tabs("Which entries",
            [
                (request.Href($"operations/{one.Id}"), Html($"All"), !onlyRefused),
                (request.Href($"operations/{one.Id}?show=refused"), Html(
                    $"Refused{When(one.Refused > 0, Html($"<span class=\"number\">{Shown.Number(one.Refused)}</span>"))}"), onlyRefused),
            ]),
            page.NextAfter is { } next
                ? Html($"<span></span><a class=\"button small\" href=\"{request.Href($"{address}after={next}")}\">More</a>")
                : default);
    }

    private static string Why(OperatorResult result) => result switch
    {
        OperatorResult.Done => "Done",
        OperatorResult.NotFound => "It no longer exists",
        OperatorResult.NotEnded => "It had not ended",
        OperatorResult.Completed => "It had completed",
        OperatorResult.KeyHeld => "Another entry holds its unique key",
        OperatorResult.Erased => "Its data were erased",
        OperatorResult.AlreadyEnded => "It had already ended",
        OperatorResult.Changed => "It has run or changed since",
        _ => result.ToString(),
    };
}
