using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The queues or kinds in pages by name, with a filter, if there are many. All of them are one answer that viewers share; a row
/// with its form is what is large, for each viewer and each time that an open page asks for news.</summary>
internal static class NameCard
{
    /// <summary>How many rows a page has at most.</summary>
    public const int Size = 100;

    /// <summary>The card.</summary>
    /// <param name="request">The request.</param>
    /// <param name="path">The page: <c>queues</c> or <c>kinds</c>.</param>
    /// <param name="all">All that the user sees.</param>
    /// <param name="name">Returns a name.</param>
    /// <param name="table">Renders the table of some of them.</param>
    public static Markup Render<T>(
        DashboardRequest request, string path, IReadOnlyList<T> all, Func<T, string> name, Func<IEnumerable<T>, Markup> table)
    {
        if (all.Count <= Size)
        {
            return Html($"<section class=\"card\">{table(all)}</section>");
        }

        var (text, after) = (request.Exact("text"), request.Exact("after"));
        var found = all.Where(one => text is null || name(one).Contains(text, StringComparison.OrdinalIgnoreCase)).ToList();
        var rest = found.Where(one => after is null || string.CompareOrdinal(name(one), after) > 0)
            .OrderBy(name, StringComparer.Ordinal).Take(Size + 1).ToList();
        var page = rest.Take(Size).ToList();
        var next = rest.Count > Size ? name(page[^1]) : null;
        return Html($"""
            <section class="card">{Ui.Body(Filter(request, path, text))}{(page.Count > 0
                ? table(page)
                : Ui.Empty(path, "There is no such name", "No name contains this text, or comes after this one."))}<footer><span>{(
                text is null ? "" : $"{Shown.Number(found.Count)} of ")}{Shown.Number(all.Count)} {path}</span>{(
                next is null ? default : Next(request, path, text, next))}</footer></section>
            """);
    }

    private static Markup Filter(DashboardRequest request, string path, string? text) => Html($"""
        <form action="{request.Href(path)}" class="filters" role="search" aria-label="Filter">
        <div class="field wide"><label for="f-text">Name contains</label><input id="f-text" name="text" value="{text}" autocomplete="off"
            spellcheck="false" maxlength="200"></div>
        <button>Filter</button>{When(text is not null, Html($"<a class=\"button plain\" href=\"{request.Href(path)}\">Clear</a>"))}</form>
        """);

    private static Markup Next(DashboardRequest request, string path, string? text, string after)
    {
        var filter = text is null ? "" : $"text={Uri.EscapeDataString(text)}&";
        var address = request.Href($"{path}?{filter}after={Uri.EscapeDataString(after)}");
        return Html($"<a class=\"button small\" href=\"{address}\">Next</a>");
    }
}
