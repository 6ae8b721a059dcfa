using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds things by id and by name. An id that exists goes straight to its page.</summary>
internal sealed class SearchPage(Finder finder) : IPage
{
    public string Route => "search";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (request.Query("q") is not { } text)
        {
            return new Page("Search", Section.None, Ui.Card("Search", Ui.Empty("search", "Type what you look for", "An id of an entry, "
                + "task, job or trace, or a part of the name of a queue, kind, job or node.")));
        }

        var result = await finder.FindAsync(request, text).ConfigureAwait(false);
        if (result.Path is { } target)
        {
            return new Page("Search", Section.None, default) { RedirectTo = target };
        }

        return new Page($"Search: {text}", Section.None, Html($"""
            {(result.Task is { } task ? Ui.Card("Task", TaskTable.Render(request, [task], new Dictionary<Guid, Job>())) : default)}
            {(result.Hits.Count == 0
                ? Ui.Card("Names", Ui.Empty(
                    "search", "No name contains this text",
                    "Names of queues, kinds, jobs and nodes were compared, and ids of entries, tasks and jobs."))
                : Ui.Card("Names", new Table("Names that contain the text", new Column("Name", "name-cell"), new("What")).Render(
                    result.Hits.Select(hit => new Row(null, Link(request, hit), Html($"{hit.What}"))))))}
            {When(!result.IsComplete, Ui.Notice("", "search", Html($"There are more jobs than one search compares: only those whose names "
                + $"come first were compared. A job is always found by its whole name or its id.")))}
            {(request.Access.Search
                ? Data(request, request.Exact("q") ?? text)
                : Ui.Notice("", "lock", Html($"Keys, metadata and arguments are not searched, because you may not {(request.Access.Data
                    ? "search"
                    : "see")} data.")))}
            """))
        {
            Heading = Html($"Search: <bdi>{text}</bdi>"),
        };
    }

    // What is compared with a key or a part of the arguments is what was typed, with the white space at its ends.
    private static Markup Data(DashboardRequest request, string text)
    {
        var value = Uri.EscapeDataString(text);
        return Ui.Card("In entries", Ui.Body(Html($"""
            <p class="actions"><a class="button" href="{request.Href($"entries?key={value}")}">Unique key is this</a>
                <a class="button" href="{request.Href($"entries?text={value}")}">Arguments contain
                    this</a>{When(text.Contains('=', StringComparison.Ordinal), Html(
                        $" <a class=\"button\" href=\"{request.Href($"entries?meta={value}")}\">Metadata has this</a>"))}</p>
            """)));
    }

    private static Markup Link(DashboardRequest request, SearchHit hit)
        => hit.Path is { } path ? Html($"<a href=\"{request.Href(path)}\">{Ui.Name(hit.Name)}</a>") : Ui.Name(hit.Name);
}
