namespace TaskRecovery.Dashboard.Pages;

/// <summary>The queues and kinds that the findings of the overview are about. Its links lead to them, and among thousands nothing else
/// does.</summary>
internal static class NameFilters
{
    public static readonly NameFilter<QueueSummary> PausedQueues = new("paused", "paused", static queue => queue.Pause is not null);

    public static readonly NameFilter<QueueSummary> LateQueues =
        new("late", "late", static queue => queue.Pause is null && queue.OldestDue > LongWait);

    public static readonly NameFilter<KindSummary> PausedKinds = new("paused", "paused", static kind => kind.Pause is not null);

    /// <summary>A count that stopped says nothing of a kind of which it has met no entry.</summary>
    public static readonly NameFilter<KindSummary> UnservedKinds = new(
        "unserved", "waiting for a node",
        static kind => kind is { Nodes: 0, Waiting: { Value: > 0 } or { Precision: CountPrecision.AtLeast } });

    public static readonly IReadOnlyList<NameFilter<QueueSummary>> OfQueues = [PausedQueues, LateQueues];

    public static readonly IReadOnlyList<NameFilter<KindSummary>> OfKinds = [PausedKinds, UnservedKinds];

    private static TimeSpan LongWait => TimeSpan.FromMinutes(1);
}
