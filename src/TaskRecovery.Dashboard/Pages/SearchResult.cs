namespace TaskRecovery.Dashboard.Pages;

/// <summary>What a text leads to.</summary>
/// <param name="Path">The page, below the root, of what the text is the id of; <see langword="null"/> if it is no id.</param>
/// <param name="Task">The task that the text is the id of, if its entry and its job are gone; otherwise <see langword="null"/>.</param>
/// <param name="Hits">What has a name that contains the text; empty if the text is an id.</param>
/// <param name="IsComplete">Whether the names of all jobs were compared.</param>
internal sealed record SearchResult(string? Path, TaskRecord? Task, IReadOnlyList<SearchHit> Hits, bool IsComplete);
