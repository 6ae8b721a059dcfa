namespace TaskRecovery;

/// <summary>How many entries match a query, separated by kind, reason, queue or state.</summary>
/// <param name="Groups">The groups, the largest first.</param>
/// <param name="SearchedBackTo">When the oldest entry that was examined was stored; <see langword="null"/> if none was examined.</param>
/// <param name="IsComplete">Whether every entry was examined. If not, <see cref="EntryQuery.MaxExamined"/> entries were, or as many as a
/// count may examine (see <see cref="IQueueMonitor.GroupAsync"/>), and every number is at least what it says.</param>
public sealed record EntryGroups(IReadOnlyList<EntryGroup> Groups, DateTimeOffset? SearchedBackTo, bool IsComplete);
