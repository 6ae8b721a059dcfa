using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The bar below a list of entries that prepares a bulk operation. Nothing changes before its preview was confirmed.</summary>
internal static class EntryBulk
{
    public static Markup Bar(DashboardRequest request, EntryForm form, EntrySummaryPage page)
    {
        var canRetry = form["state"] is null or "failed" or "cancelled"
            && page.Entries.Any(static entry => entry.State is EntryState.Failed or EntryState.Cancelled);
        var canCancel = form["state"] is null or "waiting" or "running"
            && page.Entries.Any(static entry => entry.State is EntryState.Waiting or EntryState.Running);
        if (!canRetry && !canCancel)
        {
            return default;
        }

        return Html($"""
            <form class="bulk" id="{EntryTable.FormId}" method="post" action="{request.Href("operations/prepare")}">
            {Ui.Hidden("filter", form.Address)}{When(!form.IsSelective, Ui.Hidden("all", "true"))}
            <span class="muted" data-chosen="None selected" role="status">Selected entries</span>
            {When(canRetry, Html(
                $"<button id=\"bulk-retry\" class=\"small\" name=\"do\" value=\"retry\" data-act=\"retry\" "
                + $"data-needs-pick>Retry</button>"))}
            {When(canCancel, Html($"<button id=\"bulk-cancel\" class=\"small danger\" name=\"do\" value=\"cancel\" data-act=\"cancel\" "
                + $"data-needs-pick>Cancel</button>"))}
            <span class="muted">All that match:</span>
            {When(canRetry, Html(
                $"<button id=\"bulk-retry-all\" class=\"small\" name=\"do\" value=\"retry-all\">Retry all …</button>"))}
            {When(canCancel, Html(
                $"<button id=\"bulk-cancel-all\" class=\"small danger\" name=\"do\" value=\"cancel-all\">Cancel all …</button>"))}
            </form>
            """);
    }
}
