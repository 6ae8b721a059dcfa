using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>What the kind of an entry begins before a slot is free for the entry (<see cref="KindRunner.TryBeginEarly"/>).</summary>
internal sealed class EarlyStart(KindRunner runner, ClaimedEntry entry, NodeClaim claim, TimeProvider time)
{
    // An entry begins early because its slot is expected in a few milliseconds. If it had to wait longer, what was true then may have
    // changed. Several times as long as entries begin early, because each answer that is too old costs a second start.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(200);

    private readonly Lock _gate = new();
    private bool _hasBegun;
    private long _begunAt;
    private Task? _work;

    /// <summary>Begins the work, if it has not begun yet.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            if (!_hasBegun)
            {
                _hasBegun = true;
                _begunAt = time.GetTimestamp();
                if (runner.TryBeginEarly(entry, claim, out _work))
                {
                    _work.ObserveFailure();
                }
            }
        }
    }

    /// <summary>Takes the work for the run.</summary>
    /// <returns><see langword="false"/> if none was begun, or if it is too old to be used.</returns>
    public bool TryTake([NotNullWhen(true)] out Task? work)
    {
        Begin();
        work = _work is { IsCompleted: true } && time.GetElapsedTime(_begunAt) > Longest ? null : _work;
        return work is not null;
    }

    /// <summary>Begins nothing any more, because the entry will not run under this claim.</summary>
    /// <returns>The work that has begun, which may be done; <see langword="null"/> if none has. The outcome of the entry has to wait for
    /// it: the two would change the same rows.</returns>
    public Task? Abandon()
    {
        lock (_gate)
        {
            _hasBegun = true;
            return _work;
        }
    }
}
