using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Api;

/// <summary>What a text leads to.</summary>
/// <param name="Path">What the text is the id of, as a path of the dashboard; <see langword="null"/> if it is no id.</param>
/// <param name="Hits">What has a name that contains the text.</param>
/// <param name="IsComplete">Whether the names of all jobs were compared.</param>
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
