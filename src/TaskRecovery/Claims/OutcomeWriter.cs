using Microsoft.Extensions.Logging;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>Stores the outcomes of the whole node. Outcomes that arrive while a batch is being stored are written together, so that an idle
/// system adds no delay and a busy one writes in batches. A stored outcome settles its entry in <see cref="NodeClaims"/>.</summary>
/// <remarks>All waits use the machine's clock. The application's clock may stand still in a test, and then outcomes would not be
/// stored.</remarks>
internal sealed class OutcomeWriter : IDisposable
{
    // With more unstored outcomes than this, the claimers pause: the store is slower than the handlers.
    private const int TooMany = 20_000;

    // If an outcome has failed this many times alone, it is moved behind the others and retried later. If its content was refused once more
    // than this, it is discarded.
    private const int AttemptsAtOne = 5;

    // How long to wait before checking an outcome again that has to wait for a transaction.
    private static readonly Backoff BlockedWait = new(TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(2));

    // A second batch is stored concurrently only if it is large enough to be worth its transaction. After a batch of 64, more outcomes are
    // coming, so a short pause makes the next transaction worth more (docs/decisions/0013-writes-are-grouped-without-a-timer.md).
    private static readonly BatchRules<PendingOutcome> Rules = new()
    {
        MaxWriters = 2,
        NextWriterFrom = 1_000,
        MaxItems = 2_000,
        BusyFrom = 64,
        BusyPause = TimeSpan.FromMilliseconds(15),
    };

    private readonly IEntryStore _store;
    private readonly SuspectLimiter _suspects;
    private readonly Metrics _metrics;
    private readonly ILogger _logger;
    private readonly LoopHealth _health;
    private readonly Batcher<PendingOutcome> _batcher;
    private readonly Batcher<PendingOutcome> _afterOthers;
    private readonly UnstoredCount _unstored = new();
    private readonly CancellationTokenSource _giveUp = new();
    private readonly CancellationToken _givingUp;

    public OutcomeWriter(
        IEntryStore store, SuspectLimiter suspects, Metrics metrics, OutageReporter outages, ILogger<OutcomeWriter> logger)
    {
        _store = store;
        _suspects = suspects;
        _metrics = metrics;
        _logger = logger.Guarded();
        _givingUp = _giveUp.Token;
        _health = outages.Watch("outcomes");
        _batcher = new Batcher<PendingOutcome>(StoreAsync, Rules, TimeProvider.System);
        _afterOthers = new Batcher<PendingOutcome>(StoreAfterOthersAsync, Rules with { MaxWriters = 1 }, TimeProvider.System);
    }

    /// <summary>Whether the store is so far behind that nothing more should be claimed.</summary>
    public bool IsOverloaded => _unstored.Value > TooMany;

    /// <summary>How many outcomes are not stored yet.</summary>
    public int Unstored => _unstored.Value;

    /// <summary>Why the last attempt to store outcomes failed; <see langword="null"/> if it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Stores an outcome soon. Does not wait and does not fail: while the store is unavailable, outcomes are kept and retried. If
    /// the entry may have been completed in its worker's own transaction and that is still open, only this outcome waits for it.</summary>
    public void Add(PendingOutcome outcome)
    {
        _unstored.Increment();
        if (outcome.After is { IsCompleted: false } work)
        {
            _ = AddAfterAsync(work, outcome);
        }
        else
        {
            BatcherOf(outcome).Add(outcome);
        }
    }

    /// <summary>Discards an outcome: its claim is lost, which the store or a sweep has already recorded.</summary>
    public void Drop(PendingOutcome outcome)
    {
        Guard.Notify(() => ReportLost(outcome));
        _suspects.Release(outcome.Suspicion);
        outcome.Claim.Settle(1);
    }

    /// <inheritdoc cref="UnstoredCount.DrainAsync"/>
    public Task<int> DrainAsync(CancellationToken cancellationToken) => _unstored.DrainAsync(cancellationToken);

    /// <summary>Stops retrying outcomes while the store is unavailable. The entries of unstored outcomes stay claimed, and a sweep recovers
    /// them once this node is dead.</summary>
    /// <remarks>The returned task ends with the last cancelled call: a driver may take seconds to cancel one if its server does not
    /// answer.</remarks>
    public Task GiveUpAsync() => _giveUp.CancelAsync();

    public void Dispose() => _giveUp.CancelAndDispose();

    // An outcome whose start was not answered waits for the start, and for every other transaction that has locked the job. Any outcome may
    // be found to need a row that another transaction has locked.
    private Batcher<PendingOutcome> BatcherOf(PendingOutcome outcome)
        => outcome.IsAfterTransaction || outcome.Blocks > 0 || outcome.Outcome is { IsTask: true, IsStartAnswered: false }
            ? _afterOthers
            : _batcher;

    private async Task StoreAsync(List<PendingOutcome> batch)
    {
        foreach (var part in SplitByNode(batch))
        {
            await StoreUntilDoneAsync(part).ConfigureAwait(false);
        }
    }

    // If a transaction is open for which some outcomes have to wait, only those do.
    private async Task StoreAfterOthersAsync(List<PendingOutcome> batch)
    {
        var (blocked, free) = await DivideAsync(batch).ConfigureAwait(false);
        AddBlocked(blocked);
        if (free.Count > 0)
        {
            await StoreAsync(free).ConfigureAwait(false);
        }
    }

    // If the store can't answer, all of them count as blocked.
    private async Task<(List<PendingOutcome> Blocked, List<PendingOutcome> Free)> DivideAsync(List<PendingOutcome> batch)
    {
        try
        {
            var open = await _store.FindBlockedAsync([.. batch.Select(pending => pending.Outcome)], _givingUp).ConfigureAwait(false);
            _health.Succeeded();
            var openRuns = open.Select(static outcome => (outcome.EntryId, outcome.Fence)).ToHashSet();
            var isOpen = batch.ToLookup(pending => openRuns.Contains((pending.Outcome.EntryId, pending.Outcome.Fence)));
            return ([.. isOpen[true]], [.. isOpen[false]]);
        }
        catch (Exception exception) when (!_givingUp.IsCancellationRequested)
        {
            Failure = exception;
            _health.Failed(exception);
        }
        catch (Exception)
        {
            // The process is stopping.
        }

        return (batch, []);
    }

    private void AddBlocked(List<PendingOutcome> blocked)
    {
        // Each question takes locks, so an outcome that stays blocked is asked for less often.
        foreach (var same in blocked.GroupBy(static pending => pending.Blocks))
        {
            List<PendingOutcome> again = [.. same.Select(static pending => pending with { Blocks = pending.Blocks + 1 })];
            _ = AddLaterAsync(again, BlockedWait.After(same.Key + 1));
        }
    }

    private async Task AddLaterAsync(List<PendingOutcome> outcomes, TimeSpan wait)
    {
        await Task.Delay(wait, TimeProvider.System, _givingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_givingUp.IsCancellationRequested)
        {
            Account(outcomes);
            return;
        }

        outcomes.ForEach(outcome => BatcherOf(outcome).Add(outcome));
    }

    private async Task AddAfterAsync(Task work, PendingOutcome outcome)
    {
        await work.WaitAsync(_givingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await AddLaterAsync([outcome], TimeSpan.Zero).ConfigureAwait(false);
    }

    // If the store rejects a batch, it is halved and retried, so that a value that the store refuses, or too many bytes to store in time,
    // do not keep other outcomes from being stored. The same applies to an outcome that needs a row which another transaction has locked.
    private async Task StoreUntilDoneAsync(List<PendingOutcome> batch)
    {
        var (size, failures) = (batch.Count, 0);
        for (var start = 0; start < batch.Count;)
        {
            var part = FlushPart.Of(batch, start, size);
            if (await TryStoreAsync(part).ConfigureAwait(false) is not { } exception)
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

            if (exception is StoreUnavailableException { IsLockTimeout: true })
            {
                // The other transaction may last for hours. The store names the outcomes that would wait for it at this moment; if it
                // knows of none, the part is halved until one is left.
                var (blocked, free) = await DivideAsync(part).ConfigureAwait(false);
                if (blocked.Count == 0 && part.Count > 1)
                {
                    size = part.Count / 2;
                    continue;
                }

                if (blocked.Count == 0)
                {
                    (blocked, free) = (part, []);
                }

                AddBlocked(blocked);
                batch = [.. free, .. batch[(start + part.Count)..]];
                (start, failures) = (0, 0);
                continue;
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

    // An outcome that can't be stored even alone must not block the ones behind it: it is retried later. If the store refuses a value, that
    // value is replaced; how the run ended stays the same. If it refuses the rest too, the reason may be the moment and not the outcome.
    private void GiveWay(PendingOutcome pending, Exception exception)
    {
        if (exception is not ContentRefusedException)
        {
            _ = AddLaterAsync([pending], Backoff.OfCalls.After(AttemptsAtOne, Random.Shared.NextDouble()));
            return;
        }

        var refused = pending with { Refusals = pending.Refusals + 1 };
        if (refused.Refusals == 1)
        {
            _logger.OutcomeRefused(pending.Outcome.EntryId, pending.Kind, exception);
            BatcherOf(refused).Add(refused with { Outcome = OutcomePolicy.WithoutText(refused.Outcome, exception) });
        }
        else if (refused.Refusals <= AttemptsAtOne)
        {
            _ = AddLaterAsync([refused], Backoff.OfCalls.After(refused.Refusals, Random.Shared.NextDouble()));
        }
        else
        {
            _logger.OutcomeNotStorable(pending.Outcome.EntryId, pending.Kind, exception);
            Account([pending]);
        }
    }

    private async Task<Exception?> TryStoreAsync(List<PendingOutcome> part)
    {
        var outcomes = new RunOutcome[part.Count];
        for (var i = 0; i < outcomes.Length; i++)
        {
            outcomes[i] = part[i].Outcome;
        }

        try
        {
            var refused = await _store.FinishAsync(part[0].Claim.Lease.NodeId, outcomes, _givingUp).ConfigureAwait(false);
            _health.Succeeded();
            Failure = null;
            Guard.Notify(() => Report(part, refused));
            Account(part);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    private async Task WaitAsync(Exception exception, int failures)
    {
        Failure = exception;
        _health.Failed(exception);
        var wait = Backoff.OfCalls.After(failures, Random.Shared.NextDouble());
        await Task.Delay(wait, TimeProvider.System, _givingUp).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void Report(List<PendingOutcome> batch, IReadOnlyList<RunOutcome> refused)
    {
        var lost = refused.Count == 0 ? null : refused.Select(outcome => (outcome.EntryId, outcome.Fence)).ToHashSet();
        foreach (var pending in batch)
        {
            // A completion from the worker's own transaction is expected to be refused here: that shows that the transaction has committed.
            if (lost is not null && !pending.IsAfterTransaction && lost.Contains((pending.Outcome.EntryId, pending.Outcome.Fence)))
            {
                ReportLost(pending);
            }
            else if (pending.Counted is { } counted)
            {
                _metrics.Finished(pending.Claim.Queue, pending.Kind, counted, pending.Outcome.Duration, pending.ErrorType);
            }
        }
    }

    private void ReportLost(PendingOutcome pending)
    {
        _logger.ClaimLost(pending.Outcome.EntryId, pending.Kind, pending.Outcome.Fence);
        _metrics.ClaimLost(pending.Claim.Queue, pending.Kind);
    }

    private void Account(List<PendingOutcome> batch)
    {
        var start = 0;
        for (var i = 1; i <= batch.Count; i++)
        {
            // Entries of one claim usually follow each other, so they are settled together.
            if (i == batch.Count || batch[i].Claim != batch[start].Claim)
            {
                batch[start].Claim.Settle(i - start);
                start = i;
            }
        }

        foreach (var pending in batch)
        {
            _suspects.Release(pending.Suspicion);
        }

        _unstored.Subtract(batch.Count);
    }

    // Nearly always one node and so one part; outcomes of two nodes occur only after this process has registered again.
    private static IEnumerable<List<PendingOutcome>> SplitByNode(List<PendingOutcome> batch)
    {
        var first = batch[0].Claim.Lease.Node;
        return batch.TrueForAll(pending => pending.Claim.Lease.Node == first)
            ? [batch]
            : batch.GroupBy(pending => pending.Claim.Lease.Node).Select(group => group.ToList());
    }
}
