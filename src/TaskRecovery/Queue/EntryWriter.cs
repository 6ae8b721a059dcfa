using System.Data.Common;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Stores entries in one of three ways: in the caller's transaction; as claimed, if this process can start them at once; or as
/// waiting entries, which any node may claim. Concurrent single enqueues share a transaction.</summary>
internal sealed class EntryWriter
{
    // Two writers, so that one batch can be written while the commit of another is flushed to disk. A batch is written and fails as a
    // whole. The limit of its size keeps small entries from waiting for megabytes of large ones.
    private static readonly BatchRules<PendingEnqueue> Rules = new()
    {
        MaxWriters = 2,
        MaxItems = 1_000,
        SizeOf = static call => EntrySizes.Of(call.Entry),
        MaxSize = 1024 * 1024,
    };

    private readonly IEntryStore _store;
    private readonly LocalClaimers _claimers;
    private readonly ClaimWaker _waker;
    private readonly Batcher<PendingEnqueue> _batcher;

    public EntryWriter(IEntryStore store, LocalClaimers claimers, ClaimWaker waker, TimeProvider time)
    {
        _store = store;
        _claimers = claimers;
        _waker = waker;
        _batcher = new Batcher<PendingEnqueue>(WriteBatchAsync, Rules, time);
    }

    /// <summary>Stores one entry, possibly in one transaction with those of other callers.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Cancels the wait, and the write if it has not begun.</param>
    public Task<EnqueueResult> WriteAsync(NewEntry entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new PendingEnqueue(entry, cancellationToken);
        _batcher.Add(call);
        return call.Task.WaitOrAbandonAsync(cancellationToken);
    }

    /// <summary>Stores entries atomically.</summary>
    /// <param name="entries">The entries: at least one.</param>
    /// <param name="transaction">The caller's transaction, or <see langword="null"/>. Entries in it are not visible yet, so nothing is
    /// woken: the store reports them after the commit.</param>
    /// <param name="cancellationToken">Cancels the wait, and the write if it has not begun.</param>
    public async ValueTask<EnqueueResult[]> WriteAsync(
        NewEntry[] entries, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        try
        {
            return transaction is null
                ? await StoreAsync(entries, cancellationToken).ConfigureAwait(false)
                : await _store.EnqueueAsync(entries, transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreConfigurationException exception)
        {
            exception.Store = _store;
            throw;
        }
    }

    private async ValueTask<EnqueueResult[]> StoreAsync(NewEntry[] entries, CancellationToken cancellationToken)
    {
        if (_claimers.TryFind(entries[0].Queue, out var claimer)
            && await StartAsync(claimer, entries, cancellationToken).ConfigureAwait(false) is { } started)
        {
            return started;
        }

        var results = await _store.EnqueueAsync(entries, transaction: null, cancellationToken).ConfigureAwait(false);

        // Wake the claimers before completing the callers, because a claim takes a round trip.
        _waker.Wake(entries);
        return results;
    }

    // Returns null if the entries would not start at once; then nothing is stored.
    private Task<EnqueueResult[]?> StartAsync(ILocalClaimer claimer, NewEntry[] entries, CancellationToken cancellationToken)
    {
        // If the caller stops waiting for the answer, the claim stays, and its entries start anyway.
        return _store.Traits.TakesBackQueuedWrites
            ? StoreClaimedAsync(claimer, entries, cancellationToken)
            : StoreClaimedAsync(claimer, entries, CancellationToken.None).WaitOrAbandonAsync(cancellationToken);
    }

    private async Task<EnqueueResult[]?> StoreClaimedAsync(ILocalClaimer claimer, NewEntry[] entries, CancellationToken whileQueued)
    {
        if (await claimer.TryStoreClaimedAsync(entries, whileQueued).ConfigureAwait(false) is not { } stored)
        {
            return null;
        }

        if (stored.Batch.Entries.Count < entries.Length)
        {
            // The store let them wait, because entries before them are due.
            _waker.Wake(entries[0].Queue);
        }

        return stored.Results;
    }

    private async Task WriteBatchAsync(List<PendingEnqueue> batch)
    {
        try
        {
            await StoreBatchAsync(batch).ConfigureAwait(false);
        }
        catch (Exception exception) when (batch.Count > 1 && IsRefusal(exception))
        {
            // Nothing was stored. Write each entry alone, so that only the entry that can't be stored fails.
            foreach (var call in batch)
            {
                await WriteBatchAsync([call]).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            if (exception is StoreConfigurationException failure)
            {
                failure.Store = _store;
            }

            foreach (var call in batch)
            {
                call.TrySetException(exception);
            }
        }
    }

    private async Task StoreBatchAsync(List<PendingEnqueue> batch)
    {
        // Calls whose callers no longer wait are skipped. If one is cancelled meanwhile, nothing was stored, and the others are retried.
        while (batch.RemoveAll(static call => call.IsCancelled) >= 0 && batch.Count > 0)
        {
            var (token, linked) = _store.Traits.TakesBackQueuedWrites ? Link(batch) : default;
            try
            {
                var results = await StoreAsync([.. batch.Select(static call => call.Entry)], token).ConfigureAwait(false);
                for (var i = 0; i < results.Length; i++)
                {
                    batch[i].TrySetResult(results[i]);
                }

                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                // The loop skips the cancelled calls.
            }
            finally
            {
                linked?.Dispose();
            }
        }
    }

    // Whether the store has refused what it was given, so that it has stored nothing. Any other error may come after the commit.
    private static bool IsRefusal(Exception exception)
        => exception is ContentRefusedException or ArgumentException || DatabaseErrors.IsAnswer(exception);

    // Usually all calls share one token or have none, so a linked source is seldom needed.
    private static (CancellationToken Token, CancellationTokenSource? Linked) Link(List<PendingEnqueue> batch)
    {
        CancellationToken only = default;
        foreach (var call in batch)
        {
            if (call.Token.CanBeCanceled && call.Token != only)
            {
                if (only.CanBeCanceled)
                {
                    var linked = CancellationTokenSource.CreateLinkedTokenSource([.. batch.Select(static call => call.Token)]);
                    return (linked.Token, linked);
                }

                only = call.Token;
            }
        }

        return (only, null);
    }
}
