using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The entries of one queue that are claimed and wait for an executor, in claim order. Not synchronised: its owner's lock guards it.</summary>
internal sealed class EntryBuffer
{
    private readonly Queue<Batch> _batches = new();
    private int _next;

    public int Count { get; private set; }

    public void Add(HeldClaim claim, IReadOnlyList<ClaimedEntry> entries, long claimedAt)
    {
        _batches.Enqueue(new Batch(claim, entries, claimedAt));
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

    /// <summary>Takes out everything of claims that <paramref name="condition"/> holds for, given when they were made.</summary>
    public List<BufferedEntry> TakeWhere(Func<HeldClaim, long, bool> condition)
    {
        var taken = new List<BufferedEntry>();
        var kept = new List<BufferedEntry>();
        var times = new List<long>();
        while (_batches.TryPeek(out var batch))
        {
            var matches = condition(batch.Claim, batch.ClaimedAt);
            TryTake(out var entry);
            (matches ? taken : kept).Add(entry);
            if (!matches)
            {
                times.Add(batch.ClaimedAt);
            }
        }

        for (var i = 0; i < kept.Count; i++)
        {
            Add(kept[i].Claim, [kept[i].Entry], times[i]);
        }

        return taken;
    }

    private sealed record Batch(HeldClaim Claim, IReadOnlyList<ClaimedEntry> Entries, long ClaimedAt);
}

/// <summary>A claimed entry that has not started.</summary>
internal readonly record struct BufferedEntry(HeldClaim Claim, ClaimedEntry Entry);
