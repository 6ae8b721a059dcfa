namespace TaskRecovery.Dashboard.Pages;

/// <summary>Something whose name contains the text of a search.</summary>
/// <param name="What"><c>queue</c>, <c>kind</c>, <c>job</c> or <c>node</c>.</param>
/// <param name="Name">The name.</param>
/// <param name="Path">The page below the root; <see langword="null"/> if there is none, because no filter selects a kind of that
/// name.</param>
internal sealed record SearchHit(string What, string Name, string? Path);
