using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The claimer of a queue: at most one call at a time, and none while there is nothing to claim.</summary>
internal sealed partial class QueueWorker
{
    // Looking from the front of the queue reads past every row version that an old snapshot keeps alive. This interval is short enough to
    // find entries promptly, and long enough to be cheap.
    private static readonly TimeSpan RewindInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _wakeGate = new();
    private IQueueClaimer? _claimer;
    private volatile NodeLease? _lease;
    private bool _isWoken = true;
    private bool _isFromFront = true;
    private TimeSpan? _nextDue;
    private volatile int _prefetch;
    private double _rate;
    private int _finishedBefore;
    private long _measuredAt;
    private long _rewoundAt;
    private bool _wasFull;
    private bool _owesLook;

    /// <inheritdoc/>
    public void Wake(bool fromFront)
    {
        lock (_wakeGate)
        {
            _isWoken = true;
            _isFromFront |= fromFront;
        }

        _signal.Set();
    }

    /// <summary>Claims until <paramref name="stop"/> is cancelled. Survives every error of the store.</summary>
    /// <param name="stop">Ends the loop.</param>
    /// <param name="abort">Aborts the wait for the answer of a claim call in progress.</param>
    public async Task ClaimLoopAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            await ClaimUntilStoppedAsync(stop, abort).ConfigureAwait(false);
        }
        finally
        {
            // Acquired and never released: an enqueue that uses the claimer has finished by now, and no later one can start. If the wait is
            // aborted, a late enqueue still sees `_stopping`.
            await _turn.WaitAsync(abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits until there is something to claim and room for it, and claims once.</summary>
    internal async Task ClaimOnceAsync(CancellationToken stop, CancellationToken abort)
    {
        await AdoptAsync(await _services.Lives.WaitForLeaseAsync(stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (Room() == 0 || _stopping)
        {
            // No signal is sent when a slow store has finally stored enough outcomes, so check again after this time.
            await _signal.WaitAsync(TimeSpan.FromSeconds(1), _services.Time, stop).ConfigureAwait(false);
            return;
        }

        if (!IsWoken)
        {
            if (!await _signal.WaitAsync(UntilNextLook(), _services.Time, stop).ConfigureAwait(false))
            {
                _nextDue = null;
                Wake(fromFront: true);
            }

            return;
        }

        await _turn.WaitAsync(abort).ConfigureAwait(false);
        try
        {
            // A concurrent enqueue may have taken the room.
            if (Room() is > 0 and var limit)
            {
                await ClaimWhatIsThereAsync(limit, TakeWake(), abort).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task ClaimUntilStoppedAsync(CancellationToken stop, CancellationToken abort)
    {
        _measuredAt = _services.Time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ClaimOnceAsync(stop, abort).ConfigureAwait(false);
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                // The error of a call that is aborted because the host stops is not an outage.
                return;
            }
            catch (Exception exception)
            {
                Wake(fromFront: true);
                _state.Failed(exception);
                await Task.Delay(RetryPolicy.Backoff(_state.Failures, Random.Shared.NextDouble()), _services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ClaimWhatIsThereAsync(int limit, bool fromFront, CancellationToken abort)
    {
        Rewind(fromFront);
        var claimed = await ClaimAsync(limit, abort).ConfigureAwait(false);
        if (claimed == 0 && fromFront)
        {
            // The claimer was notified of a due entry but found none. The suspect limiter may have held it back in this call, so try once
            // more.
            await ClaimAsync(limit, abort).ConfigureAwait(false);
        }
    }

    private async Task<int> ClaimAsync(int limit, CancellationToken abort)
    {
        await _services.Claims.WaitAsync(abort).ConfigureAwait(false);
        try
        {
            return await ClaimNowAsync(limit, abort).ConfigureAwait(false);
        }
        finally
        {
            _services.Claims.Release();
        }
    }

    private async Task<int> ClaimNowAsync(int limit, CancellationToken abort)
    {
        var lease = _lease!;
        var claims = lease.Node.Claims;
        var asked = _services.Suspects.Reserve();
        var ticket = claims.Begin(lease);
        ClaimBatch batch;
        try
        {
            batch = await _claimer!.ClaimAsync(limit, asked, abort).ConfigureAwait(false);
        }
        catch
        {
            claims.Abandon(ticket);
            _services.Suspects.Commit(asked, 0, 0);
            _services.Lives.RequestReconcile();
            throw;
        }

        _state.Succeeded();
        if (!TryKeep(ticket, batch))
        {
            _services.Suspects.Commit(asked, 0, 0);
            Wake(fromFront: true);
            if (batch.NodeIsDead)
            {
                await Task.Delay(RewindInterval, _services.Time, abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return 0;
        }

        var suspects = batch.Entries.Count(entry => _services.Suspects.Of(entry.Crashes) == Suspicion.Suspect);
        var lastChances = batch.Entries.Count(entry => _services.Suspects.Of(entry.Crashes) == Suspicion.LastChance);
        _services.Suspects.Commit(asked, suspects, lastChances);
        _nextDue = ClaimPlan.Wait(batch.NextDue);
        _wasFull = batch.Entries.Count >= limit;
        if (_wasFull)
        {
            Wake(fromFront: false);
        }

        Accept(lease, batch);
        return batch.Entries.Count;
    }

    // Whether the entries of a claim call's answer may run. If not, the reconciler releases them, or another node recovers them.
    private bool TryKeep(ClaimTicket ticket, ClaimBatch batch)
    {
        var life = ticket.Lease.Node;
        switch (life.Claims.End(ticket, batch.Fence))
        {
            case ClaimAnswer.TooLate:
                _services.Lives.RequestReconcile();
                return false;
            case ClaimAnswer.WentBackInTime:
                _services.Lives.ReportWentBackInTime(life, batch.Fence);
                return false;
            case ClaimAnswer.Accepted when batch.NodeIsDead:
                _services.Lives.ReportDead(life);
                return false;
            default:
                return true;
        }
    }

    private void Accept(NodeLease lease, ClaimBatch batch)
    {
        if (batch.Entries.Count == 0)
        {
            return;
        }

        var claim = new HeldClaim(lease, batch.Fence, Queue, batch.Entries.Count, _services.Time.GetTimestamp());
        var starting = new List<Executor>();
        lock (_gate)
        {
            _buffer.Add(claim, batch.Entries);
            for (var free = Math.Min(_idle.Count, _buffer.Count); free > 0 && !_stopping; free--)
            {
                starting.Add(_idle.Pop());
            }
        }

        foreach (var executor in starting)
        {
            ThreadPool.UnsafeQueueUserWorkItem(executor, preferLocal: false);
        }

        // A stop or a lost lease while this answer was arriving has already checked the buffer, so check again.
        if (_stopping)
        {
            Release(static _ => true);
        }
        else if (!lease.IsValid)
        {
            StopRunsOf(lease);
        }

        // Log last, and guarded: a failing log or metrics listener must not make stored and claimed entries look failed.
        Guard.Notify(() => LogClaimed(batch));
    }

    private void LogClaimed(ClaimBatch batch)
    {
        _services.Logger.Claimed(Queue, batch.Entries.Count, batch.Fence);
        foreach (var entry in batch.Entries)
        {
            _services.Metrics.Claimed(Queue, entry.Kind, entry.Waited);
        }
    }

    private async Task AdoptAsync(NodeLease lease, CancellationToken stop)
    {
        if (_lease == lease)
        {
            return;
        }

        await _turn.WaitAsync(stop).ConfigureAwait(false);
        try
        {
            Adopt(lease);
        }
        finally
        {
            _turn.Release();
        }
    }

    private void Adopt(NodeLease lease)
    {
        if (_lease?.Node != lease.Node)
        {
            _claimer = _services.Store.CreateClaimer(lease.NodeId, Queue, _services.Kinds.WorkedKinds);
        }

        _lease = lease;
        lease.Lost.UnsafeRegister(static (state, _) =>
        {
            var (worker, lost) = ((QueueWorker, NodeLease))state!;
            worker.StopRunsOf(lost);
        }, (this, lease));
        Wake(fromFront: true);
    }

    private int Room()
    {
        if (_services.Completer.IsOverloaded)
        {
            return 0;
        }

        Measure();
        lock (_gate)
        {
            var limit = ClaimPlan.Limit(_executors.Length, _prefetch, _executors.Length - _idle.Count, _buffer.Count);
            _claimerWaitsForRoom = limit == 0;
            return limit;
        }
    }

    private void Measure()
    {
        var elapsed = _services.Time.GetElapsedTime(_measuredAt);
        if (elapsed < TimeSpan.FromMilliseconds(1))
        {
            return;
        }

        var finished = Volatile.Read(ref _finished);
        _rate = ClaimPlan.Rate(_rate, finished - _finishedBefore, elapsed);
        _prefetch = finished == _finishedWhenStale ? 0 : ClaimPlan.Prefetch(_options.Prefetch, _rate);
        _finishedBefore = finished;
        _measuredAt = _services.Time.GetTimestamp();
    }

    private bool IsWoken
    {
        get
        {
            lock (_wakeGate)
            {
                return _isWoken;
            }
        }
    }

    // Returns whether to look from the front of the queue.
    private bool TakeWake()
    {
        lock (_wakeGate)
        {
            var fromFront = _isFromFront;
            _isWoken = _isFromFront = false;
            return fromFront;
        }
    }

    private void Rewind(bool fromFront)
    {
        // While claims return full batches, there is more behind the cursor. An entry before the cursor sends its own wake, or is found by
        // the store's own scans.
        if (fromFront || (!_wasFull && _services.Time.GetElapsedTime(_rewoundAt) > RewindInterval))
        {
            _rewoundAt = _services.Time.GetTimestamp();
            _owesLook = false;
            _claimer!.Rewind();
        }
        else
        {
            _owesLook = true;
        }
    }

    // An entry may be committed before the cursor and wake the claimer too soon after the last look from the front. It is found when the
    // next such look is due.
    private TimeSpan UntilNextLook()
    {
        var next = _nextDue ?? Timeout.InfiniteTimeSpan;
        if (!_owesLook)
        {
            return next;
        }

        var owed = RewindInterval - _services.Time.GetElapsedTime(_rewoundAt);
        owed = owed > TimeSpan.Zero ? owed : TimeSpan.Zero;
        return next == Timeout.InfiniteTimeSpan || owed < next ? owed : next;
    }
}
