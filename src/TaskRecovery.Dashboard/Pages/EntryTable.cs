using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Entries as a table.</summary>
internal static class EntryTable
{
    /// <summary>The id of the form that the checkboxes belong to.</summary>
    public const string FormId = "bulk";

    private static readonly Column Pick = new("Select", "pick")
    {
        Head = Html($"<input type=\"checkbox\" class=\"script-only\" aria-label=\"Select all rows of this page\"><span "
            + $"class=\"hidden\">Select</span>"),
    };

    private static readonly Column[] Columns =
        [new("Entry"), new("Kind", "name-cell wide"), new("State"), new("Queue", "name-cell"),
            Column.Number("Attempt"), new("Stored"), new("When"), new("Node", "name-cell")];

    public static Markup Render(DashboardRequest request, IEnumerable<EntrySummary> entries, DateTimeOffset now, bool canPick)
    {
        var table = new Table("Entries, newest first", canPick ? [Pick, .. Columns] : Columns) { Style = " entry-cards" };
        return table.Render(entries.Select(entry =>
        {
            var cells = Cells(request, entry, now);
            return new Row($"e{entry.Id}", canPick ? [Check(entry), .. cells] : cells);
        }));
    }

    private static Markup[] Cells(DashboardRequest request, EntrySummary entry, DateTimeOffset now) =>
    [
        Html($"<a class=\"id\" href=\"{request.Href($"entries/{entry.Id}")}\">{entry.Id}</a>"),
        Html($"{Ui.Name(entry.Kind)}{Ui.Crashes(entry.Crashes)}"),
        Html($"{Ui.State(entry, now)}"
            + $"{When(entry.Reason is not null, Html($"<span class=\"sub\">{Ui.Words(entry.Reason ?? "")}</span>"))}"
            + $"{When(entry.CancelRequested && entry.State == EntryState.Running, Html($"<span class=\"sub\">asked to stop</span>"))}"),
        Ui.Name(entry.Queue),
        entry.Attempt > 0 ? Html($"{entry.Attempt}<span class=\"muted\"> / {entry.MaxAttempts}</span>") : Ui.None,
        Shown.Ago(entry.CreatedAt),
        Moment(entry),
        entry.Node is null ? Ui.None : Ui.Name(entry.Node),
    ];

    private static Markup Moment(EntrySummary entry) => entry switch
    {
        { State: EntryState.Running, StartedAt: { } started } => Html($"for {Shown.Since(started)}"),
        { State: EntryState.Waiting, RunAt: { } due } => Html($"due {Shown.Ago(due)}"),
        { EndedAt: { } ended, StartedAt: { } started } when ended >= started => Html($"took {Shown.Duration(ended - started)}"),
        { EndedAt: { } ended } => Shown.Ago(ended),
        _ => default,
    };

    private static Markup Check(EntrySummary entry)
        => Html($"<input type=\"checkbox\" name=\"id\" value=\"{entry.Id}\" form=\"{FormId}\" aria-label=\"Select entry {entry.Id}\">");
}
