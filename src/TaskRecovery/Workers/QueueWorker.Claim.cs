using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>The claimer of a queue: one call at a time, and none while there is nothing to claim.</summary>
internal sealed partial class QueueWorker
{
    // A look from the front walks over whatever an old snapshot keeps alive there: often enough to be prompt, seldom enough to be cheap.
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

    /// <summary>Claims until told to stop. Survives whatever the store does.</summary>
    /// <param name="stop">Ends the claiming.</param>
    /// <param name="abort">Gives up the answer of a claim that is under way.</param>
    public async Task ClaimLoopAsync(CancellationToken stop, CancellationToken abort)
    {
        try
        {
            await ClaimUntilStoppedAsync(stop, abort).ConfigureAwait(false);
        }
        finally
        {
            // Taken for good: an enqueue that claims here has had its answer when this loop has ended, and none does so afterwards. If that is given up, what still comes finds that the queue stops.
            await _turn.WaitAsync(abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Waits for something to claim and for room, and claims once.</summary>
    internal async Task ClaimOnceAsync(CancellationToken stop, CancellationToken abort)
    {
        await AdoptAsync(await _services.Lives.WaitForLeaseAsync(stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (Room() == 0 || _stopping)
        {
            // The time is for rooms that nobody announces: outcomes that a slow store has taken at last.
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
            // An enqueue may have taken the room meanwhile.
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
                // What a call says that is given up because the host stops is no outage.
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
            // Told that something is due, and found nothing: it may be what the suspect gate held back this time.
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

    // Whether the answer of a claim call may be worked. What may not is released by reconciling, or taken by others.
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

        // Whatever was stopped or lost while this answer came in has looked at the buffer before: look again.
        if (_stopping)
        {
            Release(static _ => true);
        }
        else if (!lease.IsValid)
        {
            StopRunsOf(lease);
        }

        // Last, and whatever listens to logs and metrics: what was stored and claimed must not look like something that failed.
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

    // Returns whether to look from the front.
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
        // While claims come back full there is more behind the cursor: what is earlier in line announces itself, or is found by the store's own looks.
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

    // A commit behind the cursor that announced itself too soon after the last look from the front is found when the next look may be.
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
