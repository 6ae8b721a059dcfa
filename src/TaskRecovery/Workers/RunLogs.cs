using System.Collections.Concurrent;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The logs of the runs of this process whose kinds keep them.</summary>
internal sealed class RunLogs(TimeProvider time)
{
    // While the store is not available, at most so many parts are kept.
    private const int MaxPending = 10_000;

    private readonly AsyncLocal<RunLog?> _current = new();
    private readonly ConcurrentDictionary<RunLog, bool> _open = new();
    private readonly ConcurrentQueue<RunLogPart> _pending = new();
    private int _openCount;

    /// <summary>Set when a run with lines has ended, and when the first run has begun.</summary>
    public Signal Due { get; } = new();

    /// <summary>Whether there may be lines to store without a signal: a run is active whose lines are kept, or lines could not be
    /// stored.</summary>
    public bool MayHaveLines => Volatile.Read(ref _openCount) > 0 || !_pending.IsEmpty;

    /// <summary>The log of the run that the current code belongs to; <see langword="null"/> if there is none.</summary>
    public RunLog? Current => _current.Value;

    /// <summary>Begins to keep what the current asynchronous flow logs.</summary>
    public RunLog Begin(long entryId, long fence)
    {
        var log = new RunLog(entryId, fence, time);
        _open[log] = true;
        _current.Value = log;
        if (Interlocked.Increment(ref _openCount) == 1)
        {
            Due.Set();
        }

        return log;
    }

    /// <summary>Ends the log of a run.</summary>
    public void End(RunLog log)
    {
        _current.Value = null;
        if (_open.TryRemove(log, out _))
        {
            Interlocked.Decrement(ref _openCount);
        }

        if (log.Take() is { } part)
        {
            Keep(part);
            Due.Set();
        }
    }

    /// <summary>Takes the lines that are not stored yet.</summary>
    public IReadOnlyList<RunLogPart> Take()
    {
        var parts = new List<RunLogPart>();
        while (_pending.TryDequeue(out var part))
        {
            parts.Add(part);
        }

        foreach (var log in _open.Keys)
        {
            if (log.Take() is { } part)
            {
                parts.Add(part);
            }
        }

        return parts;
    }

    /// <summary>Keeps parts that could not be stored.</summary>
    public void PutBack(IReadOnlyList<RunLogPart> parts)
    {
        foreach (var part in parts)
        {
            Keep(part);
        }
    }

    private void Keep(RunLogPart part)
    {
        if (_pending.Count < MaxPending)
        {
            _pending.Enqueue(part);
        }
    }
}
