using TaskRecovery.Dashboard.Hosting;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Finds things by id and by name, for the page and for the API.</summary>
internal sealed class Finder(Reads reads)
{
    private const int MaxHits = 20;

    public async ValueTask<SearchResult> FindAsync(DashboardRequest request, string text)
    {
        var (path, task) = await ExactAsync(request, text).ConfigureAwait(false);
        if (path is not null)
        {
            return new SearchResult(path, null, [], IsComplete: true);
        }

        var (hits, isComplete) = await NamesAsync(request, text).ConfigureAwait(false);
        return new SearchResult(null, task, hits, isComplete);
    }

    // A task whose entry and job are gone has no page to go to.
    private async ValueTask<(string? Path, TaskRecord? Task)> ExactAsync(DashboardRequest request, string text)
    {
        if (DashboardRequest.Whole(text.TrimStart('#')) is { } entry
            && await reads.LifeAsync(request, entry).ConfigureAwait(false) is not null)
        {
            return ($"entries/{entry}", null);
        }

        // A trace id looks like a UUID without dashes, so jobs and tasks come first.
        if (Guid.TryParse(text, out var id))
        {
            var found = await JobOrTaskAsync(request, id).ConfigureAwait(false);
            if (found is not (null, null))
            {
                return found;
            }
        }

        return (TraceLink.Find(text) is { } trace ? await TraceAsync(request, trace).ConfigureAwait(false) : null, null);
    }

    private async ValueTask<string?> TraceAsync(DashboardRequest request, string trace)
    {
        var page = await reads.EntriesAsync(request, EntryForm.Parse($"trace={trace}", request.Access)).ConfigureAwait(false);
        return page.Entries.Count == 1 && page.IsComplete ? $"entries/{page.Entries[0].Id}" : $"entries?trace={trace}";
    }

    private async ValueTask<(string? Path, TaskRecord? Task)> JobOrTaskAsync(DashboardRequest request, Guid id)
    {
        if (await reads.JobAsync(request, id).ConfigureAwait(false) is not null)
        {
            return ($"jobs/{id}", null);
        }

        if (await reads.TaskAsync(request, id).ConfigureAwait(false) is not { } task)
        {
            return (null, null);
        }

        var path = task.EntryId is { } of && await reads.LifeAsync(request, of).ConfigureAwait(false) is not null ? $"entries/{of}"
            : await reads.JobAsync(request, task.JobId).ConfigureAwait(false) is not null ? $"jobs/{task.JobId}"
            : null;
        return (path, task);
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
        return (hits, jobs.NextAfter is null || jobs.Jobs.Count == MaxHits);

        bool Has(string name) => name.Contains(text, StringComparison.OrdinalIgnoreCase);
    }
}
