using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The filter of the entries page as a form. What is rarely used is folded.</summary>
internal static class FilterForm
{
    public static Markup Render(DashboardRequest request, EntryForm form)
    {
        var more = form["reason"] ?? form["node"] ?? form["job"] ?? form["from"]
            ?? form["to"] ?? form["ended-from"] ?? form["ended-to"] ?? form["trace"] ?? form["key"] ?? form["meta"] ?? form["text"];
        var clear = form.With("state", form["state"]);
        return Html($"""
            <form action="{request.Href("entries")}" class="filter-form" role="search" aria-label="Filter">
            {(form["state"] is { } state ? Ui.Hidden("state", state) : default)}
            <div class="filters">
            {Field(form, "queue", "Queue", "default")}
            {Field(form, "kind", "Kind", "mail.send or mail.*")}
            <button>Filter</button>
            {When(form.HasFilter, Html($"<a class=\"button plain\" href=\"{request.Href(form["state"] is { } current
                ? $"entries?state={Uri.EscapeDataString(current)}"
                : "entries")}\">Clear</a>"))}
            <span class="muted group-by">Group by {Each(Groups(form), group => Html(
                $"<a href=\"{request.Href($"entries?{clear}{(clear.Length == 0 ? "" : "&")}group={group}")}\">{group}</a> "))}</span>
            </div>
            <details{When(more is not null, Html($" open"))}><summary>More conditions</summary>
            <div class="filters">
            {Field(form, "reason", "Reason", "crash_loop")}
            {Field(form, "node", "Node", "name or id")}
            {Field(form, "from", "Stored from (UTC)", "2026-11-29T12:00Z")}
            {Field(form, "to", "Stored before (UTC)", "2026-11-30")}
            {Field(form, "ended-from", "Ended from (UTC)", "2026-11-29T12:00Z")}
            {Field(form, "ended-to", "Ended before (UTC)", "2026-11-30")}
            {Field(form, "job", "Job", "id")}
            {Field(form, "trace", "Trace", "32 hexadecimal digits")}
            {When(request.Access.Search, Html($"{Field(form, "key", "Unique key", "order-4711")}{Field(
                form, "meta", "Metadata", "tenant=acme")}{Field(form, "text", "Text in arguments", "exactly as stored")}"))}
            </div>
            </details>
            </form>
            """);
    }

    private static IEnumerable<string> Groups(EntryForm form)
    {
        yield return "kind";
        if (form["state"] is "failed" or "cancelled")
        {
            yield return "reason";
        }

        yield return "queue";
    }

    private static Markup Field(EntryForm form, string name, string label, string hint) => Html($"""
        <div class="field"><label for="f-{name}">{label}</label><input id="f-{name}" name="{name}" value="{form[name]}" placeholder="{hint}"
            autocomplete="off" spellcheck="false" maxlength="500"></div>

        """);
}
