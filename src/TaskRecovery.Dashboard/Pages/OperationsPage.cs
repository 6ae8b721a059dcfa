using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Bulk operations, newest first.</summary>
internal sealed class OperationsPage(Reads reads) : IPage
{
    private static readonly Column[] Columns =
        [new("Operation", "name-cell"), new("State"), Column.Number("Changed"),
            Column.Number("Refused"), new("By", "name-cell"), new("When")];

    public string Route => "operations";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (!reads.Has(MonitorFeatures.BulkOperations))
        {
            return new Page("Operations", Section.Operations, Ui.Card(
                "Operations", Ui.Empty("operations", "This store has no bulk operations", "Retry and cancel entries one by one.")));
        }

        var before = request.Number("before");
        var operations = await reads.OperationsAsync(request, before).ConfigureAwait(false);
        if (operations is { Operations.Count: 0, NextBefore: null })
        {
            return new Page("Operations", Section.Operations, Ui.Card("Operations", Ui.Empty(
                "operations", "No bulk operation yet",
                "Select entries, or all that match a filter, and retry or cancel them together. Each such operation is listed here, "
                + "can be stopped, and can be undone.")))
            {
                Live = Live(before),
            };
        }

        return new Page("Operations", Section.Operations, Html($"""
            <section class="card">{new Table("Bulk operations, newest first", Columns).Render(
                operations.Operations.Select(one => Row(request, one)))}{Older(request, operations)}</section>
            """))
        {
            Live = Live(before),
        };
    }

    private static TimeSpan? Live(long? before) => before is null ? TimeSpan.FromSeconds(2) : null;

    private static Markup Older(DashboardRequest request, OperationPage operations) => operations.NextBefore is { } before
        ? Html($"<footer><span></span><a class=\"button small\" href=\"{request.Href($"operations?before={before}")}\">"
            + $"{(operations.Operations.Count < Reads.OperationsPerPage ? "Look further" : "Older")}</a></footer>")
        : default;

    public static string Title(BulkOperation one) => one.Action switch
    {
        BulkAction.Retry => "Retry",
        BulkAction.Cancel => "Cancel",
        _ => $"Undo of operation {one.Undoes}",
    } + (one.Action == BulkAction.Undo ? "" : $" {Shown.Number(one.Expected)} {(one.Expected.Value == 1 ? "entry" : "entries")}");

    public static Markup State(BulkOperation one) => one.State switch
    {
        OperationState.Prepared => Ui.State("waiting", "Not started"),
        OperationState.Running => Ui.State("running", "Running"),
        OperationState.Ended => Ui.State("completed", one.UndoneBy is null ? "Ended" : "Undone"),
        _ => Ui.State("cancelled", one.UndoneBy is null ? "Stopped" : "Undone"),
    };

    private static Row Row(DashboardRequest request, BulkOperation one) => new(
        $"o{one.Id}",
        Html($"<a href=\"{request.Href($"operations/{one.Id}")}\">{Title(one)}"
            + $"</a>{When(one.Audit.Reason is not null, Html($"<span class=\"sub\">“{one.Audit.Reason}”</span>"))}"),
        State(one),
        Html($"{Shown.Number(one.Done)}"),
        Html($"{(one.Refused == 0 ? Html($"<span class=\"muted\">0</span>") : Html($"{Shown.Number(one.Refused)}"))}"),
        Ui.Name(one.Audit.Actor),
        Shown.Ago(one.StartedAt ?? one.CreatedAt));
}
