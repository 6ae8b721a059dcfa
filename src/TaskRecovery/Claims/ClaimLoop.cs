using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Claims the entries of one queue for its executors: at most one call at a time, and none while there is nothing to claim. While
/// executors are idle and no entry is first in line, an enqueue stores its entries as claimed instead, which saves the claim.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A semaphore whose wait handle nobody asks for holds nothing.")]
internal sealed class ClaimLoop : ILocalClaimer
{
    private readonly string _queue;
    private readonly WorkServices _services;
    private readonly ExecutorPool _pool;
    private readonly Signal _signal;
    private readonly ClaimTimer _timer;
    private readonly LoopHealth _health;

    // Held by the claim loop or by an enqueue, because a claimer supports one caller at a time.
    private readonly SemaphoreSlim _turn = new(1, 1);
    private IQueueClaimer? _claimer;
    private volatile NodeLease? _lease;
    private TimeSpan _rest;

    /// <param name="queue">The queue.</param>
    /// <param name="services">The services that all queues share.</param>
    /// <param name="pool">Runs what is claimed.</param>
    /// <param name="signal">Set by the pool when it has room again, and when the claimer is woken.</param>
    public ClaimLoop(string queue, WorkServices services, ExecutorPool pool, Signal signal)
    {
        _queue = queue;
        _services = services;
        _pool = pool;
        _signal = signal;
        _timer = new ClaimTimer(signal, services.Time, () => services.Turns.Patience(queue));
        _health = services.Outages.Watch($"claims of queue {queue}");
    }

    /// <summary>Whether it would claim nothing now.</summary>
    public bool IsFull => _services.Outcomes.IsOverloaded || _pool.IsFull;

    /// <inheritdoc/>
    public void Wake(bool fromFront) => _timer.Wake(fromFront);

    /// <inheritdoc cref="ClaimTimer.WakeByHint"/>
    public void WakeByHint() => _timer.WakeByHint();

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
            // aborted, a late enqueue still sees that the pool is stopping.
            await _turn.WaitAsync(abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<ClaimedEnqueue?> TryStoreClaimedAsync(NewEntry[] entries, CancellationToken whileQueued)
    {
        if (!CanStart(entries.Length) || !MayBeClaimed(entries) || !_turn.Wait(0, CancellationToken.None))
        {
            return null;
        }

        try
        {
            // Only claims give work to idle executors, and only this claim is in progress.
            return _lease is { IsValid: true } lease && CanStart(entries.Length)
                ? await StoreClaimedAsync(lease, entries, whileQueued).ConfigureAwait(false)
                : null;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Waits until there is something to claim and room for it, and claims once.</summary>
    internal async Task ClaimOnceAsync(CancellationToken stop, CancellationToken abort)
    {
        await AdoptAsync(await _services.CurrentNode.WaitForLeaseAsync(stop).ConfigureAwait(false), stop).ConfigureAwait(false);
        if (Room() == 0)
        {
            // No signal is sent when a slow store has finally stored enough outcomes, so check again after this time.
            await _signal.WaitAsync(TimeSpan.FromSeconds(1), _services.Time, stop).ConfigureAwait(false);
            return;
        }

        if (!_timer.IsWoken)
        {
            await _timer.WaitAsync(stop).ConfigureAwait(false);
            return;
        }

        await _turn.WaitAsync(abort).ConfigureAwait(false);
        try
        {
            // A concurrent enqueue may have taken the room, or a stop has begun.
            if (Room() is > 0 and var limit)
            {
                await AttemptAsync(limit, abort).ConfigureAwait(false);
            }
        }
        finally
        {
            _turn.Release();
        }

        if (_rest > TimeSpan.Zero)
        {
            await Task.Delay(_rest, _services.Time, stop).ConfigureAwait(false);
            _rest = TimeSpan.Zero;
        }
    }

    private async Task ClaimUntilStoppedAsync(CancellationToken stop, CancellationToken abort)
    {
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
                _health.Failed(exception);
                var wait = Backoff.OfCalls.After(_health.Failures, Random.Shared.NextDouble());
                await Task.Delay(wait, _services.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task AttemptAsync(int limit, CancellationToken abort)
    {
        var attempt = _timer.Begin();
        if (_timer.ShouldRewind(attempt.FromFront))
        {
            _claimer!.Rewind();
        }

        var claimed = await ClaimAsync(limit, abort).ConfigureAwait(false);
        if (claimed == 0 && attempt.FromFront && !attempt.IsOwed && !_pool.IsStopping)
        {
            // The claimer was notified of a due entry but found none. The suspect limiter may have held it back in this call, so try once
            // more, unless a stop has begun meanwhile: the claim would take the entries that the stop releases.
            claimed = await ClaimAsync(limit, abort).ConfigureAwait(false);
        }

        _timer.End(attempt, foundWork: claimed > 0);
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
        var limiter = _services.Suspects;
        if (limiter.BeginAsking(_queue))
        {
            limiter.EndAsking(_queue, await _claimer!.HasLastChanceAsync(limiter.MaxCrashes, abort).ConfigureAwait(false));
        }

        var asked = limiter.Reserve(_queue);
        var ticket = lease.Node.Claims.Begin(lease);
        var began = _services.Time.GetTimestamp();
        ClaimBatch batch;
        try
        {
            batch = await _claimer!.ClaimAsync(limit, asked, abort).ConfigureAwait(false);
        }
        catch
        {
            Abandon(ticket);
            limiter.Commit(asked, 0, 0);
            throw;
        }

        _health.Succeeded();

        // A node that listens is one of a few, and is to start new entries at once.
        _rest = batch.IsContested && !_services.Turns.Listens
            ? ClaimPlan.Rest(_services.Turns.NodesOf(_queue), _services.Time.GetElapsedTime(began), Random.Shared.NextDouble())
            : TimeSpan.Zero;
        if (!TryKeep(ticket, batch, out var claim))
        {
            limiter.Commit(asked, 0, 0);
            Wake(fromFront: true);
            if (batch.NodeIsDead)
            {
                await Task.Delay(ClaimTimer.RewindInterval, _services.Time, abort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            return 0;
        }

        var suspects = batch.Entries.Count(entry => limiter.Of(entry.Crashes) == Suspicion.Suspect);
        var lastChances = batch.Entries.Count(entry => limiter.Of(entry.Crashes) == Suspicion.LastChance);
        limiter.Commit(asked, suspects, lastChances);
        if (batch.Entries.Any(static entry => entry.Waited >= HintTurns.Late))
        {
            _services.Turns.FoundLate(_queue);
        }

        _timer.Claimed(batch.NextDue, wasFull: batch.Entries.Count >= limit);
        Run(claim, batch);
        return batch.Entries.Count;
    }

    private async ValueTask<ClaimedEnqueue?> StoreClaimedAsync(NodeLease lease, NewEntry[] entries, CancellationToken whileQueued)
    {
        var ticket = lease.Node.Claims.Begin(lease);
        ClaimedEnqueue? stored;
        try
        {
            stored = await _claimer!.EnqueueAsync(entries, whileQueued).ConfigureAwait(false);
        }
        catch
        {
            Abandon(ticket);
            throw;
        }

        if (stored is null)
        {
            lease.Node.Claims.Abandon(ticket);
            return null;
        }

        if (TryKeep(ticket, stored.Batch, out var claim))
        {
            Run(claim, stored.Batch);
        }

        return stored;
    }

    private void Abandon(ClaimTicket ticket)
    {
        ticket.Lease.Node.Claims.Abandon(ticket);
        _services.CurrentNode.RequestReconcile();
    }

    // Whether the entries of a claim call's answer may run. If not, the reconciler releases them, or another node recovers them.
    private bool TryKeep(ClaimTicket ticket, ClaimBatch batch, out NodeClaim? claim)
    {
        var node = ticket.Lease.Node;
        switch (node.Claims.End(ticket, batch, _queue, out claim))
        {
            case ClaimAnswer.TooLate:
                _services.CurrentNode.RequestReconcile();
                return false;
            case ClaimAnswer.LostCommits:
                _services.CurrentNode.ReportLostCommits(node, batch.Fence);
                return false;
            case ClaimAnswer.Accepted when batch.NodeIsDead:
                _services.CurrentNode.ReportDead(node);
                return false;
            default:
                return true;
        }
    }

    private void Run(NodeClaim? claim, ClaimBatch batch)
    {
        if (claim is null)
        {
            return;
        }

        _services.Polls.WorkBegan();
        _pool.Run(claim, batch.Entries);

        // Log last, and guarded: a failing log or metrics listener must not make stored and claimed entries look failed.
        Guard.Notify(() => LogClaimed(batch));
    }

    private void LogClaimed(ClaimBatch batch)
    {
        _services.Logger.Claimed(_queue, batch.Entries.Count, batch.Fence);
        foreach (var entry in batch.Entries)
        {
            _services.Metrics.Claimed(_queue, entry.Kind, entry.Waited);
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
            _claimer = _services.Store.CreateClaimer(lease.NodeId, _queue, _services.Kinds.WorkedKinds);
        }

        _lease = lease;
        lease.Lost.UnsafeRegister(static (state, _) =>
        {
            var (pool, lost) = ((ExecutorPool, NodeLease))state!;
            pool.StopRunsOf(lost);
        }, (_pool, lease));
        Wake(fromFront: true);
    }

    private int Room() => _services.Outcomes.IsOverloaded || _pool.IsStopping ? 0 : _pool.Room();

    // If the claimer was woken and has not claimed yet, it goes first: the queue may contain entries that are before these in line.
    private bool CanStart(int count) => !_timer.IsWoken && !_services.Outcomes.IsOverloaded && _pool.CanStart(count);

    private bool MayBeClaimed(NewEntry[] entries) => _lease is { IsValid: true } && Array.TrueForAll(entries, MayBeClaimed);

    private bool MayBeClaimed(NewEntry entry)
        => entry.UniqueKey is null && entry.RunAt is null && entry.RunAfter is null && entry.ExpiresAt is null
            && string.Equals(entry.Queue, _queue, StringComparison.Ordinal)
            && _services.Runners.Find(entry.Kind) is not null;
}
