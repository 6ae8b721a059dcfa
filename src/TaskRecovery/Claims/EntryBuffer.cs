using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>The claimed entries of one queue that wait for an executor, in claim order. Not thread-safe: the owner's lock guards
/// it.</summary>
internal sealed class EntryBuffer
{
    private readonly Queue<Batch> _batches = new();
    private int _next;
    private int _ahead;

    public int Count { get; private set; }

    /// <summary>The bytes of arguments and metadata of these entries.</summary>
    public long Bytes { get; private set; }

    public void Add(NodeClaim claim, IReadOnlyList<ClaimedEntry> entries) => Add(new Batch(claim, entries));

    public bool TryTake(out BufferedEntry entry)
    {
        if (!_batches.TryPeek(out var batch))
        {
            entry = default;
            return false;
        }

        entry = new BufferedEntry(batch.Claim, batch.Entries[_next], batch.Early?[_next]);
        Count--;
        Bytes -= SizeOf(entry.Entry);
        _ahead = Math.Max(_ahead - 1, 0);
        if (++_next == batch.Entries.Count)
        {
            _batches.Dequeue();
            _next = 0;
        }

        return true;
    }

    /// <summary>Creates early starts for the first entries, except for those that were examined before.</summary>
    /// <param name="count">How many entries to examine. If more than half of them were examined before, nothing happens, so that early
    /// starts begin in groups.</param>
    /// <param name="create">Creates the early start of an entry; returns <see langword="null"/> if its kind has none.</param>
    /// <returns>The new early starts, in the order of the entries.</returns>
    public IReadOnlyList<EarlyStart> CreateEarlyStarts(int count, Func<ClaimedEntry, NodeClaim, EarlyStart?> create)
    {
        count = Math.Min(count, Count);
        if (count == 0 || _ahead > count / 2)
        {
            return [];
        }

        var starts = new List<EarlyStart>(count - _ahead);
        var (from, skipped) = (_next, _ahead);
        foreach (var batch in _batches)
        {
            var start = Math.Min(from + skipped, batch.Entries.Count);
            skipped -= start - from;
            for (var i = start; i < batch.Entries.Count && _ahead < count; i++, _ahead++)
            {
                if (create(batch.Entries[i], batch.Claim) is { } early)
                {
                    (batch.Early ??= new EarlyStart?[batch.Entries.Count])[i] = early;
                    starts.Add(early);
                }
            }

            if (_ahead == count)
            {
                break;
            }

            from = 0;
        }

        return starts;
    }

    /// <summary>Removes and returns all entries whose claim satisfies <paramref name="condition"/>.</summary>
    public List<BufferedEntry> TakeWhere(Func<NodeClaim, bool> condition)
    {
        var taken = new List<BufferedEntry>();
        var kept = new List<BufferedEntry>();
        var keptAhead = 0;
        for (var wasAhead = _ahead > 0; TryTake(out var entry); wasAhead = _ahead > 0)
        {
            (condition(entry.Claim) ? taken : kept).Add(entry);
            keptAhead = wasAhead ? kept.Count : keptAhead;
        }

        foreach (var (claim, entry, early) in kept)
        {
            Add(new Batch(claim, [entry]) { Early = early is null ? null : [early] });
        }

        _ahead = keptAhead;
        return taken;
    }

    private void Add(Batch batch)
    {
        if (batch.Entries.Count == 0)
        {
            return;
        }

        _batches.Enqueue(batch);
        Count += batch.Entries.Count;
        for (var i = 0; i < batch.Entries.Count; i++)
        {
            Bytes += SizeOf(batch.Entries[i]);
        }
    }

    private static long SizeOf(ClaimedEntry entry) => entry.Args.Length + (entry.Metadata?.Length ?? 0);

    private sealed record Batch(NodeClaim Claim, IReadOnlyList<ClaimedEntry> Entries)
    {
        /// <summary>The early starts of the entries; <see langword="null"/> if there are none.</summary>
        public EarlyStart?[]? Early { get; set; }
    }
}

/// <summary>A claimed entry that has not started.</summary>
internal readonly record struct BufferedEntry(NodeClaim Claim, ClaimedEntry Entry, EarlyStart? Early);
