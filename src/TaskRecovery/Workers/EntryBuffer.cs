using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The claimed entries of one queue that wait for an executor, in claim order. Not thread-safe: the owner's lock guards
/// it.</summary>
internal sealed class EntryBuffer
{
    private readonly Queue<Batch> _batches = new();
    private int _next;

    public int Count { get; private set; }

    public void Add(NodeClaim claim, IReadOnlyList<ClaimedEntry> entries)
    {
        _batches.Enqueue(new Batch(claim, entries));
        Count += entries.Count;
    }

    public bool TryTake(out BufferedEntry entry)
    {
        if (!_batches.TryPeek(out var batch))
        {
            entry = default;
            return false;
        }

        entry = new BufferedEntry(batch.Claim, batch.Entries[_next]);
        Count--;
        if (++_next == batch.Entries.Count)
        {
            _batches.Dequeue();
            _next = 0;
        }

        return true;
    }

    /// <summary>Removes and returns all entries whose claim satisfies <paramref name="condition"/>.</summary>
    public List<BufferedEntry> TakeWhere(Func<NodeClaim, bool> condition)
    {
        var taken = new List<BufferedEntry>();
        var kept = new List<BufferedEntry>();
        while (TryTake(out var entry))
        {
            (condition(entry.Claim) ? taken : kept).Add(entry);
        }

        foreach (var (claim, entry) in kept)
        {
            Add(claim, [entry]);
        }

        return taken;
    }

    private sealed record Batch(NodeClaim Claim, IReadOnlyList<ClaimedEntry> Entries);
}

/// <summary>A claimed entry that has not started.</summary>
internal readonly record struct BufferedEntry(NodeClaim Claim, ClaimedEntry Entry);
