using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>What the undo of a bulk operation would do, and to how many entries. An undo can't be undone, so that it is confirmed
/// here.</summary>
internal sealed class UndoPage(Reads reads, EnvironmentBadge environment, TimeProvider time) : IPage
{
    private const int Sample = 10;
    private const int LookAt = 50;

    public string Route => "operations/{id:long}/undo";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var id = request.Id;
        if (await reads.OperationAsync(request, id).ConfigureAwait(false) is not { } one)
        {
            return OperationDetailsPage.Missing(id);
        }

        var title = $"Undo of operation {id}";
        if (await reads.LeftToUndoAsync(request, one).ConfigureAwait(false) is not { } left)
        {
            return new Page(title, Section.Operations, default) { RedirectTo = $"operations/{id}" };
        }

        return new Page(title, Section.Operations, await ContentAsync(request, one, left).ConfigureAwait(false))
        {
            Crumb = Html($"<a href=\"{request.Href("operations")}\">Operations</a> / <a class=\"mono\" "
                + $"href=\"{request.Href($"operations/{id}")}\">{id}</a>"),
        };
    }

    private async ValueTask<Markup> ContentAsync(DashboardRequest request, BulkOperation one, long left)
    {
        var sample = await SampleAsync(request, one).ConfigureAwait(false);
        return Html($"""
            <section class="card"><div class="body preview">
            <p class="lead">Undo operation {one.Id} on <strong>{Shown.Number(left)}</strong> {(left == 1 ? "entry" : "entries")} in
                {environment.Render()}?</p>
            <p class="muted">{Effect(one)} What has changed since is left as it is. You can stop the undo, but not undo it.</p>
            <dl class="facts">{Ui.Fact("Operation", Html($"{OperationsPage.Title(one)}"))}{OperationFacts.Render(request, one)}</dl>
            {When(request.Access.Operate, Html($"""
                <form method="post" action="{request.Href($"operations/{one.Id}/undo")}" class="actions">
                    <div class="field reason"><label for="why">Why, if you like</label><input id="why" name="reason"
                        maxlength="{Ui.MaxReason}" autocomplete="off"></div>
                    <button class="main">Undo {Shown.Many(left, "entry", "entries")}</button>
                    <a class="button plain" href="{request.Href($"operations/{one.Id}")}">Leave them as they are</a></form>
                """))}
            </div></section>
            {(sample.Count == 0
                ? default
                : Ui.Card("Some of its entries", EntryTable.Render(request, sample, time.GetUtcNow(), canPick: false)))}
            """);
    }

    private static string Effect(BulkOperation one)
        => one.Action == BulkAction.Cancel
            ? "Entries that had been waiting wait again, with their old due time. Running ones are no longer asked to stop, and those that "
                + "have stopped run again."
            : "Entries that have not run since they were retried end again as they had ended."
                + (one.Retry?.From == RetryFrom.Start ? " Their removed steps and checkpoints do not come back." : "");

    private async ValueTask<IReadOnlyList<EntrySummary>> SampleAsync(DashboardRequest request, BulkOperation one)
    {
        var page = await reads.OperationEntriesAsync(
            request, new OperationEntryQuery { OperationId = one.Id, Limit = LookAt }).ConfigureAwait(false);
        long[] ids = [.. page.Entries.Where(static entry => entry.Result == OperatorResult.Done).Select(static entry => entry.EntryId)
            .Take(Sample).OrderDescending()];
        return await reads.SampleAsync(request, one, ids).ConfigureAwait(false);
    }
}
