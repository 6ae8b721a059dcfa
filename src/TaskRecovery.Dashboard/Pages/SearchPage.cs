using System.Globalization;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds things by id and by name. An id that exists goes straight to its page.</summary>
internal sealed class SearchPage(Reads reads) : IPage
{
    private const int MaxHits = 20;

    public string Route => "search";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        if (request.Query("q") is not { } text)
        {
            return new Page("Search", Section.None, Ui.Card("Search", Ui.Empty("search", "Type what you look for", "An id of an entry, "
                + "task, job or trace, or a part of the name of a queue, kind, job or node.")));
        }

        if (await ExactAsync(request, text).ConfigureAwait(false) is { } target)
        {
            return new Page("Search", Section.None, default) { RedirectTo = target };
        }

        // A task whose entry and job are gone has no page to go to.
        var task = Guid.TryParse(text, out var id) ? await reads.TaskAsync(request, id).ConfigureAwait(false) : null;
        var (hits, isComplete) = await NamesAsync(request, text).ConfigureAwait(false);
        return new Page($"Search: {text}", Section.None, Html($"""
            {(task is null ? default : Ui.Card("Task", TaskTable.Render(request, [task], new Dictionary<Guid, Job>())))}
            {(hits.Count == 0
                ? Ui.Card("Names", Ui.Empty(
                    "search", "No name contains this text",
                    "Names of queues, kinds, jobs and nodes were compared, and ids of entries, tasks and jobs."))
                : Ui.Card("Names", new Table("Names that contain the text", new Column("Name", "name-cell"), new("What")).Render(
                    hits.Select(hit => new Row(null, hit.Link, Html($"{hit.What}"))))))}
            {When(!isComplete, Ui.Notice("", "search", Html($"There are more jobs than one search compares: only those whose names come "
                + $"first were compared. A job is always found by its whole name or its id.")))}
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

    // The page that the text is the id of; null if there is none.
    private async ValueTask<string?> ExactAsync(DashboardRequest request, string text)
    {
        if (long.TryParse(text.TrimStart('#'), NumberStyles.None, CultureInfo.InvariantCulture, out var entry)
            && await reads.LifeAsync(request, entry).ConfigureAwait(false) is not null)
        {
            return $"entries/{entry}";
        }

        // A trace id looks like a UUID without dashes, so jobs and tasks come first.
        if (Guid.TryParse(text, out var id))
        {
            var found = await JobOrTaskAsync(request, id).ConfigureAwait(false);
            if (found is not null || await reads.TaskAsync(request, id).ConfigureAwait(false) is not null)
            {
                return found;
            }
        }

        return TraceLink.Find(text) is { } trace ? await TraceAsync(request, trace).ConfigureAwait(false) : null;
    }

    private async ValueTask<string?> TraceAsync(DashboardRequest request, string trace)
    {
        var page = await reads.EntriesAsync(request, EntryForm.Parse($"trace={trace}", request.Access)).ConfigureAwait(false);
        return page.Entries.Count == 1 && page.IsComplete ? $"entries/{page.Entries[0].Id}" : $"entries?trace={trace}";
    }

    private async ValueTask<string?> JobOrTaskAsync(DashboardRequest request, Guid id)
    {
        if (await reads.JobAsync(request, id).ConfigureAwait(false) is not null)
        {
            return $"jobs/{id}";
        }

        return await reads.TaskAsync(request, id).ConfigureAwait(false) is not { } task ? null
            : task.EntryId is { } of && await reads.LifeAsync(request, of).ConfigureAwait(false) is not null ? $"entries/{of}"
            : await reads.JobAsync(request, task.JobId).ConfigureAwait(false) is not null ? $"jobs/{task.JobId}"
            : null;
    }

    private async ValueTask<(List<(Markup Link, string What)> Hits, bool IsComplete)> NamesAsync(DashboardRequest request, string text)
    {
        var snapshot = await reads.TrySnapshotAsync(request).ConfigureAwait(false);
        var kinds = await reads.KindsAsync(request).ConfigureAwait(false);
        var jobs = await reads.JobsNamedAsync(request, text, MaxHits).ConfigureAwait(false);
        var nodes = await reads.NodesAsync(request).ConfigureAwait(false);
        List<(Markup Link, string What)> hits =
        [
            .. (snapshot?.Queues ?? []).Where(queue => Has(queue.Name)).Select(
                queue => (Link(queue.Name, $"entries?queue={Uri.EscapeDataString(queue.Name)}"), "queue")).Take(MaxHits),
            .. kinds.Where(kind => Has(kind.Name)).Select(
                kind => (KindLink.Of(request, kind.Name, Ui.Name(kind.Name)), "kind")).Take(MaxHits),
            .. jobs.Jobs.Select(job => (Link(job.Name, $"jobs/{job.Id}"), "job")),
            .. nodes.Where(node => Has(node.Name)).Select(
                node => (Link(node.Name, $"events?node={Uri.EscapeDataString(node.Name)}"), "node")).Take(MaxHits),
        ];
        return (hits, jobs.NextAfter is null || jobs.Jobs.Count == MaxHits);

        Markup Link(string name, string path) => Html($"<a href=\"{request.Href(path)}\">{Ui.Name(name)}</a>");
        bool Has(string name) => name.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
