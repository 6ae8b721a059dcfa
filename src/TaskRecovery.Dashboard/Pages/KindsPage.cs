using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>All kinds, and whether a living node can run them.</summary>
internal sealed class KindsPage(Reads reads) : IPage
{
    private static readonly Column[] Columns =
        [new("Kind", "name-cell"), Column.Number("Waiting"), new("Oldest due", "number"), new("Known to"), Column.Actions()];

    public string Route => "kinds";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (!request.Access.SeesWholeKinds)
        {
            return OutOfView.Of(Section.Kinds, "Kinds");
        }

        var kinds = await reads.KindsAsync(request).ConfigureAwait(false);
        var content = kinds.Count == 0
            ? Ui.Card("Kinds", Ui.Empty(
                "kinds", "There is no kind yet",
                "A kind appears when its first entry is stored, or when a node with a worker for it starts."))
            : NameCard.Render(
                request, "kinds", kinds, static kind => kind.Name, NameFilters.OfKinds,
                some => new Table("Kinds", Columns).Render(some.Select(kind => Row(request, kind))));
        return new Page("Kinds", Section.Kinds, content) { Live = TimeSpan.FromSeconds(5) };
    }

    private static Row Row(DashboardRequest request, KindSummary kind)
    {
        var name = Uri.EscapeDataString(kind.Name);
        return new Row(
            $"k-{name}",
            Html($"{KindLink.Of(request, kind.Name, Ui.Name(kind.Name))}{Pauses.Below(kind.Pause)}"),
            KindLink.Of(request, kind.Name, Html($"{Shown.Number(kind.Waiting)}"), "waiting"),
            kind.OldestDue is { } age ? Html($"{Shown.Duration(age)}") : Ui.None,
            kind.Nodes > 0 ? Html($"{Shown.Many(kind.Nodes, "node")}")
                : Html($"<span class=\"{(kind.Waiting.Value > 0 ? "tone-lost" : "muted")}\">no living node</span>"),
            Pauses.Actions(request, "kinds", kind.Name, kind.Pause));
    }
}
