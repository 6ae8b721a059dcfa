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
    /// <param name="filters">The choices besides the text of the names.</param>
    /// <param name="table">Renders the table of some of them.</param>
    public static Markup Render<T>(
        DashboardRequest request, string path, IReadOnlyList<T> all, Func<T, string> name, IReadOnlyList<NameFilter<T>> filters,
        Func<IEnumerable<T>, Markup> table)
    {
        if (all.Count <= Size)
        {
            return Html($"<section class=\"card\">{table(all)}</section>");
        }

        var place = NamePlace.Of(request);
        var (text, after) = (place.Text, place.After);
        var only = filters.FirstOrDefault(one => one.Key == place.Only);
        var found = all.Where(one => (text is null || name(one).Contains(text, StringComparison.OrdinalIgnoreCase))
            && only?.Matches(one) != false).ToList();
        var rest = found.Where(one => after is null || string.CompareOrdinal(name(one), after) > 0)
            .OrderBy(name, StringComparer.Ordinal).Take(Size + 1).ToList();
        var page = rest.Take(Size).ToList();
        var next = rest.Count > Size ? name(page[^1]) : null;
        return Html($"""
            <section class="card">{Ui.Body(Filter(request, path, place, filters))}{(page.Count > 0
                ? table(page)
                : Ui.Empty(path, "There is no such name", "None meets these conditions, or comes after this one."))}<footer><span>{(
                found.Count == all.Count ? "" : $"{Shown.Number(found.Count)} of ")}{Shown.Number(all.Count)} {path}</span>{(
                next is null ? default : Next(request, path, place with { After = next }))}</footer></section>
            """);
    }

    /// <summary>The address of the page, and of the rows on it that are meant if they are not all on one page.</summary>
    /// <param name="path">The page: <c>queues</c> or <c>kinds</c>.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="place">The rows that are meant.</param>
    public static string Address(string path, int count, NamePlace place) => count > Size ? place.Address(path) : path;

    private static Markup Filter<T>(
        DashboardRequest request, string path, NamePlace place, IReadOnlyList<NameFilter<T>> filters) => Html($"""
        <form action="{request.Href(path)}" class="filters" role="search" aria-label="Filter">
        <div class="field wide"><label for="f-text">Name contains</label><input id="f-text" name="text" value="{place.Text}"
            autocomplete="off" spellcheck="false" maxlength="200"></div>
        <div class="field"><label for="f-only">Show</label><select id="f-only" name="only"><option value="">all</option>{Each(
            filters, filter => Html($"<option value=\"{filter.Key}\"{When(
                filter.Key == place.Only, Html($" selected"))}>{filter.Text}</option>"))}</select></div>
        <button>Filter</button>{When(
            place.Text is not null || place.Only is not null,
            Html($"<a class=\"button plain\" href=\"{request.Href(path)}\">Clear</a>"))}</form>
        """);

    private static Markup Next(DashboardRequest request, string path, NamePlace place)
        => Html($"<a class=\"button small\" href=\"{request.Href(place.Address(path))}\">Next</a>");
}
