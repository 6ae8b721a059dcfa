using System.Collections.Concurrent;
using TaskRecovery.Storage;

namespace TaskRecovery.Diagnostics;

/// <summary>Adds up in memory what this process counted since it stored its counts last.</summary>
internal sealed class Statistics
{
    private readonly ConcurrentDictionary<(string Queue, string Kind), Counts> _counts = new();

    /// <summary>Counts a stored entry.</summary>
    public void Enqueued(string queue, string kind, long count) => Interlocked.Add(ref Of(queue, kind).Enqueued, count);

    /// <summary>Counts how long a claimed entry had been due.</summary>
    public void Waited(string queue, string kind, TimeSpan waited) => Interlocked.Add(ref Of(queue, kind).Wait, Math.Max(0, waited.Ticks));

    /// <summary>Counts a run.</summary>
    public void Finished(string queue, string kind, OutcomeKind outcome, TimeSpan duration)
    {
        var counts = Of(queue, kind);
        Interlocked.Add(ref counts.Run, Math.Max(0, duration.Ticks));
        Interlocked.Increment(ref counts.Of(outcome));
    }

    /// <summary>Counts what recovery did.</summary>
    public void Recovered(RecoveryItem item)
    {
        if (item is not { EntryId: not null, Queue: { } queue, Kind: { } kind })
        {
            return;
        }

        var counts = Of(queue, kind);
        Interlocked.Increment(ref item.NodeDied ? ref counts.Lost : ref counts.Released);
        if (item.Action == RecoveryAction.Closed)
        {
            Interlocked.Increment(ref string.Equals(item.Reason, EndReasons.CrashLoop, StringComparison.Ordinal)
                ? ref counts.Failed
                : ref counts.Cancelled);
        }
    }

    /// <summary>Takes everything that was counted since the last call.</summary>
    public IReadOnlyList<StatisticsCount> Take()
    {
        var taken = new List<StatisticsCount>();
        foreach (var ((queue, kind), counts) in _counts)
        {
            if (counts.Take() is { } totals)
            {
                taken.Add(new StatisticsCount(queue, kind, totals));
            }
        }

        return taken;
    }

    /// <summary>Adds counts that could not be stored.</summary>
    public void PutBack(IReadOnlyList<StatisticsCount> counts)
    {
        foreach (var count in counts)
        {
            Of(count.Queue, count.Kind).Add(count.Totals);
        }
    }

    private Counts Of(string queue, string kind) => _counts.GetOrAdd((queue, kind), static _ => new Counts());

    private sealed class Counts
    {
        public long Enqueued;
        public long Failed;
        public long Cancelled;
        public long Released;
        public long Lost;
        public long Run;
        public long Wait;
        private long _completed;
        private long _retried;
        private long _snoozed;

        public ref long Of(OutcomeKind outcome)
        {
            switch (outcome)
            {
                case OutcomeKind.Completed:
                    return ref _completed;
                case OutcomeKind.Failed:
                    return ref Failed;
                case OutcomeKind.Retried:
                    return ref _retried;
                case OutcomeKind.Snoozed:
                    return ref _snoozed;
                case OutcomeKind.Released:
                    return ref Released;
                case OutcomeKind.Lost:
                    return ref Lost;
                default:
                    return ref Cancelled;
            }
        }

        public EntryTotals? Take()
        {
            var totals = new EntryTotals
            {
                Enqueued = Interlocked.Exchange(ref Enqueued, 0),
                Completed = Interlocked.Exchange(ref _completed, 0),
                Failed = Interlocked.Exchange(ref Failed, 0),
                Cancelled = Interlocked.Exchange(ref Cancelled, 0),
                Retried = Interlocked.Exchange(ref _retried, 0),
                Snoozed = Interlocked.Exchange(ref _snoozed, 0),
                Released = Interlocked.Exchange(ref Released, 0),
                Lost = Interlocked.Exchange(ref Lost, 0),
                RunTime = TimeSpan.FromTicks(Interlocked.Exchange(ref Run, 0)),
                WaitTime = TimeSpan.FromTicks(Interlocked.Exchange(ref Wait, 0)),
            };
            return totals == new EntryTotals() ? null : totals;
        }

        public void Add(EntryTotals totals)
        {
            Interlocked.Add(ref Enqueued, totals.Enqueued);
            Interlocked.Add(ref _completed, totals.Completed);
            Interlocked.Add(ref Failed, totals.Failed);
            Interlocked.Add(ref Cancelled, totals.Cancelled);
            Interlocked.Add(ref _retried, totals.Retried);
            Interlocked.Add(ref _snoozed, totals.Snoozed);
            Interlocked.Add(ref Released, totals.Released);
            Interlocked.Add(ref Lost, totals.Lost);
            Interlocked.Add(ref Run, totals.RunTime.Ticks);
            Interlocked.Add(ref Wait, totals.WaitTime.Ticks);
        }
    }
}
