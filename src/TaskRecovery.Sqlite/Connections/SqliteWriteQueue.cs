using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Sqlite;

/// <summary>The queue of waiting writes: a lane for ordinary writes, and one for long writes.</summary>
/// <remarks>Many large batches at once must not delay claims and outcomes until the last batch is stored: long writes run one at a time,
/// and the ordinary writes that arrived meanwhile run before the next one.</remarks>
/// <param name="onFirst">Called for the first write, before the queue can be closed. If it throws, the write is not added, and the next one
/// calls it again.</param>
internal sealed class SqliteWriteQueue(Action onFirst)
{
    private readonly Queue<SqliteWrite> _ordinary = new();
    private readonly Queue<SqliteWrite> _long = new();
    private bool _isClosed;
    private bool _isUsed;

    // Whether the group in progress is a long write, and when the last one ended.
    private bool _isLong;
    private long _longEndedAt = long.MinValue;

    /// <summary>Adds a write.</summary>
    /// <param name="write">The write.</param>
    /// <returns><see langword="false"/> if the queue is closed.</returns>
    public bool TryAdd(SqliteWrite write)
    {
        lock (_ordinary)
        {
            if (_isClosed)
            {
                return false;
            }

            if (!_isUsed)
            {
                onFirst();
                _isUsed = true;
            }

            (write.Kind == WriteKind.Long ? _long : _ordinary).Enqueue(write);
            Monitor.Pulse(_ordinary);
            return true;
        }
    }

    /// <summary>Blocks until a write is waiting or the queue is closed.</summary>
    /// <returns><see langword="false"/> if the queue is closed and empty.</returns>
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

    /// <summary>Takes the next write of a lane.</summary>
    /// <param name="longOnes">Whether to take from the lane of long writes.</param>
    /// <param name="onlyRelaxed">Whether to take only a write that need not reach the disk.</param>
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

    /// <summary>Returns which lane and which durability the next group uses. The last group has ended.</summary>
    public (bool IsLong, bool IsRelaxed) Next()
    {
        lock (_ordinary)
        {
            _longEndedAt = _isLong ? TimeProvider.System.GetTimestamp() : _longEndedAt;
            _ordinary.TryPeek(out var write);
            _isLong = _long.Count > 0 && !(write?.AddedAt <= _longEndedAt);
            return (_isLong, !_isLong && write?.IsRelaxed == true);
        }
    }

    /// <summary>Returns the write that has waited longest, and the number of waiting writes.</summary>
    public (SqliteWrite? Oldest, int Count) Peek()
    {
        lock (_ordinary)
        {
            _ordinary.TryPeek(out var ordinary);
            _long.TryPeek(out var one);
            return (ordinary is null
                || (one is not null && one.AddedAt < ordinary.AddedAt) ? one : ordinary, _ordinary.Count + _long.Count);
        }
    }

    /// <summary>Removes the writes that have waited too long or were cancelled.</summary>
    /// <param name="limit">How long a write may wait.</param>
    /// <param name="since">An earlier time does not count as waiting.</param>
    /// <returns>The writes that have waited too long.</returns>
    public List<SqliteWrite> TakeExpired(TimeSpan limit, long since = long.MinValue)
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
            while (lane.TryPeek(out var write) && (write.IsTakenBack || write.WaitedSince(since) > limit))
            {
                lane.Dequeue();
                if (write.TryTakeBack())
                {
                    (expired ??= []).Add(write);
                }
            }
        }
    }

    /// <summary>Closes the queue: no more writes are accepted.</summary>
    public void Close()
    {
        lock (_ordinary)
        {
            _isClosed = true;
            Monitor.PulseAll(_ordinary);
        }
    }
}
