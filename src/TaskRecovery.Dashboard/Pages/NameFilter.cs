namespace TaskRecovery.Dashboard.Pages;

/// <summary>A choice of the queues or kinds that a page shows.</summary>
/// <param name="Key">Its value in the address.</param>
/// <param name="Text">Its name on the page.</param>
/// <param name="Matches">Whether it includes a queue or kind.</param>
internal sealed record NameFilter<T>(string Key, string Text, Func<T, bool> Matches);
