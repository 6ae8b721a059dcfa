using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Api;

/// <summary>What a text leads to.</summary>
/// <param name="Path">The path of the dashboard to which the text leads as an id; <see langword="null"/> if it leads to none.</param>
/// <param name="Hits">Queues, kinds, jobs and nodes whose name contains the text, at most 20 of each, after the task that the text is the
/// id of, if its entry and job are gone; empty if there is a path.</param>
/// <param name="IsComplete"><see langword="false"/> if fewer than 20 jobs were found and not all names of jobs were compared.</param>
internal sealed record ApiSearch(string? Path, IReadOnlyList<ApiHit> Hits, bool IsComplete)
{
    public static ApiSearch Of(SearchResult result) => new(
        result.Path,
        [
            .. result.Task is { } task ? (ApiHit[])[new ApiHit("task", task.Id.ToString(), null)] : [],
            .. result.Hits.Select(static hit => new ApiHit(hit.What, hit.Name, hit.Path)),
        ],
        result.IsComplete);
}
