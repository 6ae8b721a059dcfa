using System.Collections.Concurrent;

namespace TaskRecovery.Chaos;

/// <summary>What was acknowledged: which entry, as what, and when.</summary>
internal sealed class Acknowledgements
{
    private readonly ConcurrentQueue<Acknowledgement> _all = new();

    public int Count => _all.Count;

    public void Add(long entryId, string what, long at) => _all.Enqueue(new Acknowledgement(entryId, what, at));

    /// <summary>All of each entry, the newest first: a failover that lost entries may give their numbers again.</summary>
    public IReadOnlyList<IReadOnlyList<Acknowledgement>> ByEntry()
        => [.. _all.GroupBy(one => one.EntryId)
            .Select(IReadOnlyList<Acknowledgement> (all) => [.. all.OrderByDescending(one => one.At)])];
}

/// <summary>One enqueue that returned.</summary>
/// <param name="EntryId">The entry.</param>
/// <param name="What">What it is.</param>
/// <param name="At">When, in ticks of the monotonic clock.</param>
internal sealed record Acknowledgement(long EntryId, string What, long At);
