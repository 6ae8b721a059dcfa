namespace TaskRecovery;

/// <summary>One page of events.</summary>
/// <param name="Events">The events, newest first.</param>
/// <param name="NextBefore">The value of <see cref="EventQuery.Before"/> for the next page; <see langword="null"/> on the last
/// page.</param>
public sealed record EventPage(IReadOnlyList<QueueEvent> Events, long? NextBefore)
{
    /// <summary>When the oldest event happened that was examined, if the search ended at <see cref="EventQuery.MaxExamined"/> before the
    /// page was full; otherwise <see langword="null"/>.</summary>
    public DateTimeOffset? SearchedBackTo { get; init; }
}
