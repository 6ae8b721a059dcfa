using System.Globalization;
using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds things by id and by name, for the page and for the API.</summary>
internal sealed class Finder(Reads reads)
{
    private const int MaxHits = 20;

    public async ValueTask<SearchResult> FindAsync(DashboardRequest request, string text)
    {
        if (await ExactAsync(request, text).ConfigureAwait(false) is { } path)
        {
            return new SearchResult(path, null, [], IsComplete: true);
        }

        // A task whose entry and job are gone has no page to go to.
        var task = Guid.TryParse(text, out var id) ? await reads.TaskAsync(request, id).ConfigureAwait(false) : null;
        var (hits, isComplete) = await NamesAsync(request, text).ConfigureAwait(false);
        return new SearchResult(null, task, hits, isComplete);
    }

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

    private async ValueTask<(List<SearchHit> Hits, bool IsComplete)> NamesAsync(DashboardRequest request, string text)
    {
        var snapshot = await reads.TrySnapshotAsync(request).ConfigureAwait(false);
        var kinds = await reads.KindsAsync(request).ConfigureAwait(false);
        var jobs = await reads.JobsNamedAsync(request, text, MaxHits).ConfigureAwait(false);
        var nodes = await reads.NodesAsync(request).ConfigureAwait(false);
        List<SearchHit> hits =
        [
            .. (snapshot?.Queues ?? []).Where(queue => Has(queue.Name)).Take(MaxHits).Select(
                static queue => new SearchHit("queue", queue.Name, $"entries?queue={Uri.EscapeDataString(queue.Name)}")),
            .. kinds.Where(kind => Has(kind.Name)).Take(MaxHits).Select(
                static kind => new SearchHit("kind", kind.Name, KindLink.Path(kind.Name))),
            .. jobs.Jobs.Select(static job => new SearchHit("job", job.Name, $"jobs/{job.Id}")),
            .. nodes.Where(node => Has(node.Name)).Take(MaxHits).Select(
                static node => new SearchHit("node", node.Name, $"events?node={Uri.EscapeDataString(node.Name)}")),
        ];
        return (hits, jobs.IsComplete || jobs.Jobs.Count == MaxHits);

        bool Has(string name) => name.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
