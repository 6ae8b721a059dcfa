using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Queue;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Stores the outcomes of the whole node. Outcomes that arrive during a flush are collected and written together, so that an idle
/// system adds no delay and a busy one writes in batches.</summary>
internal sealed class Completer : IDisposable
{
    // A second concurrent flush starts only for a batch that is large enough to be worth its transaction.
    private const int MaxFlushes = 2;

    // With more unstored outcomes than this, the claimers pause: the store is slower than the handlers.
    private const int TooMany = 20_000;

    // If an outcome has failed this many times alone, it is moved behind the others and retried later.
    private const int AttemptsAtOne = 5;

    // How long to wait before checking an outcome again whose worker has not ended its transaction.
    private static readonly TimeSpan BlockedWait = TimeSpan.FromMilliseconds(250);

    private readonly IEntryStore _store;
    private readonly SettledClaims _settled;
    private readonly SuspectLimiter _suspects;
    private readonly Metrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<string, string>? _redactError;
    private readonly OutageReporter _state;
    private readonly FlushLane _lane;
    private readonly FlushLane _transactionLane;
    private readonly CancellationTokenSource _giveUp = new();
    private readonly CancellationToken _givingUp;
    private readonly Lock _gate = new();
    private TaskCompletionSource? _drained;
    private int _unstored;

    public Completer(
        IEntryStore store, SettledClaims settled, SuspectLimiter suspects, Metrics metrics, IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<Completer> logger)
    {
        _redactError = options.Value.RedactError;
        _store = store;
        _settled = settled;
        _suspects = suspects;
        _metrics = metrics;
        _time = time;
        _logger = logger.Guarded();
        _givingUp = _giveUp.Token;
        _state = new OutageReporter("outcomes", _logger);
        _lane = new FlushLane(FlushUntilStoredAsync, MaxFlushes, time);
        _transactionLane = new FlushLane(FlushAfterTransactionAsync, 1, time);
    }

    /// <summary>Whether the store is so far behind that nothing more should be claimed.</summary>
    public bool IsOverloaded => Volatile.Read(ref _unstored) > TooMany;

    /// <summary>Stores an outcome soon. Does not wait and does not fail: while the store is unavailable, outcomes are kept and
    /// retried.</summary>
    public void Add(PendingOutcome settlement)
    {
        Interlocked.Increment(ref _unstored);
        _lane.Add(Redacted(settlement));
    }

    /// <summary>Stores the outcome of an entry that may have been completed in its worker's own transaction. If that transaction is still
    /// open, only this outcome waits for it.</summary>
    public void AddAfterTransaction(PendingOutcome settlement)
    {
        Interlocked.Increment(ref _unstored);
        _transactionLane.Add(Redacted(settlement) with { IsAfterTransaction = true });
    }

    /// <summary>Discards an outcome: its claim is lost, which the store or a sweep has already recorded.</summary>
    public void Drop(PendingOutcome settlement)
    {
        Guard.Notify(() => ReportLost(settlement));
        _suspects.Release(settlement.Suspicion);
        Settle(settlement.Claim, 1);
    }

    /// <summary>Waits until every outcome added so far is stored.</summary>
    /// <returns>How many outcomes were not stored when <paramref name="cancellationToken"/> was cancelled.</returns>
    public async Task<int> DrainAsync(CancellationToken cancellationToken)
    {
        Task drained;
        lock (_gate)
        {
            if (Volatile.Read(ref _unstored) == 0)
            {
                return 0;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            drained = _drained.Task;
        }

        await drained.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return Volatile.Read(ref _unstored);
    }

    /// <summary>Stops retrying outcomes while the store is unavailable. The entries of unstored outcomes stay claimed, and a sweep recovers
    /// them once this node is dead.</summary>
    public void GiveUp() => _giveUp.Cancel();

    public void Dispose() => _giveUp.CancelAndDispose();

    // If a worker's transaction is open, only its own outcome waits for it.
    private async Task FlushAfterTransactionAsync(List<PendingOutcome> batch)
    {
        var blocked = batch;
        try
        {
            var open = await _store.FindBlockedAsync([.. batch.Select(settlement => settlement.Outcome)], _givingUp).ConfigureAwait(false);
            blocked = open.Count == 0 ? [] : batch.FindAll(settlement => open.Contains(settlement.Outcome));
        }
        catch (Exception exception) when (!_givingUp.IsCancellationRequested)
        {
            _state.Failed(exception);
        }
        catch (Exception)
        {
            // The process is stopping.
        }

        if (blocked.Count > 0)
        {
            _ = AddLaterAsync(blocked, BlockedWait);
        }

        if (blocked.Count < batch.Count)
        {
            await FlushUntilStoredAsync(blocked.Count == 0 ? batch : batch.FindAll(settlement => !blocked.Contains(settlement))).ConfigureAwait(false);
        }
    }

    private async Task AddLaterAsync(List<PendingOutcome> settlements, TimeSpan wait)
    {
        await Task.Delay(wait, _time, _givingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_givingUp.IsCancellationRequested)
        {
            Account(settlements);
            return;
        }

        settlements.ForEach(settlement => LaneOf(settlement).Add(settlement));
    }

    // If the store rejects a batch, it is halved and retried, so that a value that the store refuses, or too many bytes to store in time,
    // do not keep other outcomes from being stored.
    private async Task FlushUntilStoredAsync(List<PendingOutcome> batch)
    {
        var (size, failures) = (batch.Count, 0);
        for (var start = 0; start < batch.Count;)
        {
            var part = FlushPart.Of(batch, start, size);
            if (await TryFlushAsync(part).ConfigureAwait(false) is not { } exception)
            {
                (start, failures) = (start + part.Count, 0);
                size = Math.Max(size, Math.Min(part.Count * 2, batch.Count));
                continue;
            }

            if (_givingUp.IsCancellationRequested)
            {
                Account(batch[start..]);
                return;
            }

            failures++;
            if (part.Count > 1)
            {
                size = part.Count / 2;
            }
            else if (exception is ContentRefusedException || failures >= AttemptsAtOne)
            {
                (start, failures) = (start + 1, 0);
                GiveWay(part[0], exception);
                continue;
            }

            if (exception is not ContentRefusedException)
            {
                await WaitAsync(exception, failures).ConfigureAwait(false);
            }
        }
    }

    private async Task<Exception?> TryFlushAsync(List<PendingOutcome> part)
    {
        try
        {
            await FlushAsync(part).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    // An outcome that can't be stored even alone must not block the ones behind it: it is retried later. If the store refuses a value, that
    // value is replaced; how the run ended stays the same.
    private void GiveWay(PendingOutcome settlement, Exception exception)
    {
        if (exception is not ContentRefusedException)
        {
            _ = AddLaterAsync([settlement], RetryPolicy.Backoff(AttemptsAtOne, Random.Shared.NextDouble()));
        }
        else if (!settlement.IsReplaced)
        {
            _logger.OutcomeRefused(settlement.Outcome.EntryId, settlement.Kind, exception);
            LaneOf(settlement).Add(settlement with { Outcome = OutcomePolicy.WithoutText(settlement.Outcome, exception), IsReplaced = true });
        }
        else
        {
            _logger.OutcomeNotStorable(settlement.Outcome.EntryId, settlement.Kind, exception);
            Account([settlement]);
        }
    }

    private PendingOutcome Redacted(PendingOutcome settlement)
        => _redactError is { } redact && settlement.Outcome.Error is { } error ? settlement with { Outcome = OutcomePolicy.WithError(settlement.Outcome, Redact(redact, error)) } : settlement;

    private static string Redact(Func<string, string> redact, string error)
    {
        try
        {
            return EntryText.Storable(redact(error) ?? $"The error's text was withheld: {nameof(TaskRecoveryOptions.RedactError)} returned null.", OutcomePolicy.MaxErrorChars);
        }
        catch (Exception exception)
        {
            return $"The error's text was withheld: {nameof(TaskRecoveryOptions.RedactError)} threw {exception.GetType()}.";
        }
    }

    private FlushLane LaneOf(PendingOutcome settlement) => settlement.IsAfterTransaction ? _transactionLane : _lane;

    private async Task FlushAsync(List<PendingOutcome> batch)
    {
        var outcomes = new RunOutcome[batch.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = batch[i].Outcome;
        }

        var refused = await _store.FinishAsync(batch[0].Claim.Lease.NodeId, outcomes, _givingUp).ConfigureAwait(false);
        _state.Succeeded();
        Guard.Notify(() => Report(batch, refused));
        Account(batch);
    }

    private void Report(List<PendingOutcome> batch, IReadOnlyList<RunOutcome> refused)
    {
        var lost = refused.Count == 0 ? null : refused.Select(outcome => (outcome.EntryId, outcome.Fence)).ToHashSet();
        foreach (var settlement in batch)
        {
            // A completion from the worker's own transaction is expected to be refused here: that shows that the transaction has committed.
            if (lost is not null && !settlement.IsAfterTransaction && lost.Contains((settlement.Outcome.EntryId, settlement.Outcome.Fence)))
            {
                ReportLost(settlement);
            }
            else if (settlement.Counted is { } counted)
            {
                _metrics.Finished(settlement.Claim.Queue, settlement.Kind, counted, settlement.Outcome.Duration, settlement.ErrorType);
            }
        }
    }

    private async Task WaitAsync(Exception exception, int failures)
    {
        _state.Failed(exception);
        await Task.Delay(RetryPolicy.Backoff(failures, Random.Shared.NextDouble()), _time, _givingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Account(List<PendingOutcome> batch)
    {
        var start = 0;
        for (var i = 1; i <= batch.Count; i++)
        {
            // Entries of one claim usually follow each other, so they are settled together.
            if (i == batch.Count || batch[i].Claim != batch[start].Claim)
            {
                Settle(batch[start].Claim, i - start);
                start = i;
            }
        }

        foreach (var settlement in batch)
        {
            _suspects.Release(settlement.Suspicion);
        }

        if (Interlocked.Add(ref _unstored, -batch.Count) == 0)
        {
            lock (_gate)
            {
                _drained?.TrySetResult();
                _drained = null;
            }
        }
    }

    private void Settle(HeldClaim claim, int entries)
    {
        if (claim.Settle(entries))
        {
            claim.Lease.Node.Claims.Forget(claim.Fence);
            _settled.Add(claim.Lease.Node, claim.Fence);
        }
    }

    private void ReportLost(PendingOutcome settlement)
    {
        _logger.ClaimLost(settlement.Outcome.EntryId, settlement.Kind, settlement.Outcome.Fence);
        _metrics.ClaimLost(settlement.Claim.Queue, settlement.Kind);
    }
}
