using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>The writes that wait for their turn: the ordinary ones, and those that take long.</summary>
/// <remarks>Many large batches at once must not keep claims and outcomes waiting until the last of them is stored: a long write runs alone, and the ordinary ones that came
/// meanwhile run before the next.</remarks>
internal sealed class SqliteWriteQueue
{
    private readonly Queue<SqliteWrite> _ordinary = new();
    private readonly Queue<SqliteWrite> _long = new();
    private bool _isClosed;
    private bool _isUsed;

    /// <summary>Adds one.</summary>
    /// <param name="write">The write.</param>
    /// <param name="isFirst">Whether it is the first ever.</param>
    /// <returns><see langword="false"/> if the queue is closed.</returns>
    public bool TryAdd(SqliteWrite write, out bool isFirst)
    {
        lock (_ordinary)
        {
            isFirst = !_isUsed && !_isClosed;
            if (_isClosed)
            {
                return false;
            }

            _isUsed = true;
            (write.Kind == WriteKind.Long ? _long : _ordinary).Enqueue(write);
            Monitor.Pulse(_ordinary);
            return true;
        }
    }

    /// <summary>Waits for work.</summary>
    /// <returns><see langword="false"/> if the queue is closed and nothing is left.</returns>
    public bool Wait()
    {
        lock (_ordinary)
        {
            while (_ordinary.Count + _long.Count == 0 && !_isClosed)
            {
                Monitor.Wait(_ordinary);
            }

            return _ordinary.Count + _long.Count > 0;
        }
    }

    /// <summary>Takes the next one of a lane.</summary>
    /// <param name="longOnes">Which lane.</param>
    /// <param name="onlyRelaxed">Whether it must be one that need not reach the disk.</param>
    /// <param name="write">The write.</param>
    public bool TryTake(bool longOnes, bool onlyRelaxed, [NotNullWhen(true)] out SqliteWrite? write)
    {
        lock (_ordinary)
        {
            var lane = longOnes ? _long : _ordinary;
            if (lane.TryPeek(out write) && (write.IsRelaxed || !onlyRelaxed))
            {
                lane.Dequeue();
                return true;
            }

            return false;
        }
    }

    /// <summary>What the next group is made of.</summary>
    /// <param name="afterLong">Whether the last one was a long write.</param>
    public (bool IsLong, bool IsRelaxed) Next(bool afterLong)
    {
        lock (_ordinary)
        {
            var isLong = _long.Count > 0 && (!afterLong || _ordinary.Count == 0);
            return (isLong, !isLong && _ordinary.TryPeek(out var write) && write.IsRelaxed);
        }
    }

    /// <summary>The write that has waited longest, and how many wait.</summary>
    public (SqliteWrite? Oldest, int Count) Look()
    {
        lock (_ordinary)
        {
            _ordinary.TryPeek(out var ordinary);
            _long.TryPeek(out var one);
            return (ordinary is null || (one is not null && one.AddedAt < ordinary.AddedAt) ? one : ordinary, _ordinary.Count + _long.Count);
        }
    }

    /// <summary>Takes those that have waited too long, or that nobody waits for.</summary>
    /// <returns>Those that have waited too long.</returns>
    public List<SqliteWrite> TakeExpired(TimeSpan limit)
    {
        List<SqliteWrite>? expired = null;
        lock (_ordinary)
        {
            TakeExpired(_ordinary);
            TakeExpired(_long);
        }

        return expired ?? [];

        void TakeExpired(Queue<SqliteWrite> lane)
        {
            while (lane.TryPeek(out var write) && (write.IsTakenBack || TimeProvider.System.GetElapsedTime(write.AddedAt) > limit))
            {
                lane.Dequeue();
                if (write.TryTakeBack())
                {
                    (expired ??= []).Add(write);
                }
            }
        }
    }

    /// <summary>Takes no more.</summary>
    public void Close()
    {
        lock (_ordinary)
        {
            _isClosed = true;
            Monitor.PulseAll(_ordinary);
        }
    }
}
