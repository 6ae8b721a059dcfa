namespace TaskRecovery;

/// <summary>One page of entries.</summary>
/// <param name="Entries">The entries, newest first.</param>
/// <param name="NextBefore">The value of <see cref="EntryQuery.Before"/> for the next page; <see langword="null"/> if the page is
/// complete.</param>
/// <param name="SearchedBackTo">When the oldest entry that was examined was stored; <see langword="null"/> if none was examined.</param>
/// <param name="IsComplete">Whether there are no further matching entries. If not, the page is full, or
/// <see cref="EntryQuery.MaxExamined"/> entries were examined.</param>
public sealed record EntrySummaryPage(
    IReadOnlyList<EntrySummary> Entries, long? NextBefore, DateTimeOffset? SearchedBackTo, bool IsComplete);
