namespace TaskRecovery.Workers;

/// <summary>Collects outcomes for the store: outcomes that arrive during a flush are written with the next one.</summary>
internal sealed class FlushLane(Func<List<PendingOutcome>, Task> flush, int maxFlushes, TimeProvider time) : IThreadPoolWorkItem
{
    private const int SecondFlushFrom = 1_000;
    private const int MaxFlush = 2_000;

    // A flush of this size shows that more outcomes are coming. The next flush waits briefly to collect them, so that its transaction is
    // worth more (docs/decisions, 13).
    private const int BusyFrom = 64;
    private static readonly TimeSpan BusyWait = TimeSpan.FromMilliseconds(15);

    private readonly Lock _gate = new();
    private List<PendingOutcome> _pending = new(256);
    private int _flushes;

    public void Add(PendingOutcome settlement)
    {
        lock (_gate)
        {
            _pending.Add(settlement);
            if (_flushes > 0 && (_flushes == maxFlushes || _pending.Count < SecondFlushFrom))
            {
                return;
            }

            _flushes++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAllAsync();

    private async Task FlushAllAsync()
    {
        while (Take() is { } batch)
        {
            foreach (var part in SplitByNode(batch))
            {
                await flush(part).ConfigureAwait(false);
            }

            if (batch.Count >= BusyFrom && !HasMany())
            {
                await Task.Delay(BusyWait, time, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private bool HasMany()
    {
        lock (_gate)
        {
            return _pending.Count >= SecondFlushFrom;
        }
    }

    private List<PendingOutcome>? Take()
    {
        lock (_gate)
        {
            if (_pending.Count == 0)
            {
                _flushes--;
                return null;
            }

            var batch = _pending;
            if (batch.Count <= MaxFlush)
            {
                _pending = new List<PendingOutcome>(256);
                return batch;
            }

            _pending = batch[MaxFlush..];
            return batch[..MaxFlush];
        }
    }

    // Nearly always one node and so one part; outcomes of two nodes occur only after this process has registered again.
    private static IEnumerable<List<PendingOutcome>> SplitByNode(List<PendingOutcome> batch)
    {
        var first = batch[0].Claim.Lease.Node;
        foreach (var settlement in batch)
        {
            if (settlement.Claim.Lease.Node != first)
            {
                return batch.GroupBy(item => item.Claim.Lease.Node).Select(group => group.ToList());
            }
        }

        return [batch];
    }
}
