namespace TaskRecovery.Dashboard.Pages;

/// <summary>Something that a search has found.</summary>
/// <param name="What"><c>queue</c>, <c>kind</c>, <c>job</c>, <c>node</c>, or <c>task</c> for one whose entry and job are gone.</param>
/// <param name="Name">The name, or the id of a task.</param>
/// <param name="Path">The page below the root; <see langword="null"/> if there is none.</param>
internal sealed record SearchHit(string What, string Name, string? Path);
