namespace TaskRecovery.Dashboard.Pages;

/// <summary>What a text leads to.</summary>
/// <param name="Path">The page, below the root, to which the text leads as an id; <see langword="null"/> if it leads to none.</param>
/// <param name="Task">The task that the text is the id of, if its entry and its job are gone; otherwise <see langword="null"/>.</param>
/// <param name="Hits">Queues, kinds, jobs and nodes whose name contains the text, at most 20 of each; empty if there is a path.</param>
/// <param name="IsComplete"><see langword="false"/> if fewer than 20 jobs were found and not all names of jobs were compared.</param>
internal sealed record SearchResult(string? Path, TaskRecord? Task, IReadOnlyList<SearchHit> Hits, bool IsComplete);
