namespace TaskRecovery.Dashboard.Api;

/// <summary>Something that a search has found.</summary>
/// <param name="What"><c>queue</c>, <c>kind</c>, <c>job</c>, <c>node</c>, or <c>task</c> for one whose entry and job are gone.</param>
/// <param name="Name">The name, or the id of a task.</param>
/// <param name="Path">A path of the dashboard; <see langword="null"/> if there is none.</param>
internal sealed record ApiHit(string What, string Name, string? Path);
