using System.Data.Common;
using TaskRecovery.Hosting;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Stores entries in one of three ways: in the caller's transaction; as claimed, if this process can start them at once; or as
/// waiting entries, which any node may claim. Concurrent single enqueues share a transaction: those with a unique key one, the others
/// another.</summary>
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

    // How long the entries of several callers wait together for a unique key: longer than most transactions take.
    private static readonly TimeSpan LongKeyWait = TimeSpan.FromMilliseconds(500);

    private readonly IEntryStore _store;
    private readonly LocalClaimers _claimers;
    private readonly ClaimWaker _waker;
    private readonly Batcher<PendingEnqueue> _batcher;
    private readonly Batcher<PendingEnqueue> _keyed;
    private readonly Batcher<(List<PendingEnqueue> Calls, long Began)> _divided;
    private readonly BlockedKeys _blockedKeys;

    public EntryWriter(IEntryStore store, LocalClaimers claimers, ClaimWaker waker, TimeProvider time)
    {
        _store = store;
        _claimers = claimers;
        _waker = waker;
        _batcher = new Batcher<PendingEnqueue>(batch => WriteBatchAsync(batch, LongKeyWait), Rules, time);
        _keyed = new Batcher<PendingEnqueue>(WriteKeyedAsync, Rules, time);
        _divided = new Batcher<(List<PendingEnqueue> Calls, long Began)>(
            batch => DivideAsync(batch[0].Calls, batch[0].Began), new() { MaxWriters = 2, MaxItems = 1 }, time);

        // The application's clock may stand still, and a call must not wait for a key without end.
        _blockedKeys = new BlockedKeys(TryWriteAsync, _keyed.Add, TimeProvider.System);
    }

    /// <summary>How long a call waits for its unique key to be free; settable for tests.</summary>
    internal TimeSpan KeyLimit
    {
        get => _blockedKeys.Limit;
        set => _blockedKeys.Limit = value;
    }

    /// <summary>Stores one entry, possibly in one transaction with those of other callers.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Cancels the wait, and the write if it has not begun.</param>
    public Task<EnqueueResult> WriteAsync(NewEntry entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new PendingEnqueue(entry, cancellationToken);
        (entry.UniqueKey is null ? _batcher : _keyed).Add(call);
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
        // If the entries can start here at once, the claim is sent without the token.
        cancellationToken.ThrowIfCancellationRequested();
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

    // An entry waits for a transaction that has taken or freed its unique key and is still open, and all entries of its batch wait with it.
    // So those without a key have writers of their own, and a batch with a key that is not free is divided, by further writers: the calls
    // that come meanwhile may have keys that are free.
    private async Task WriteKeyedAsync(List<PendingEnqueue> batch)
    {
        batch.RemoveAll(_blockedKeys.TryAdd);
        if (batch.Count > 0
            && await WriteBatchAsync(batch, LongKeyWait).ConfigureAwait(false) is { Count: > 0 } blocked)
        {
            if (blocked is [var alone])
            {
                _blockedKeys.Add(alone);
            }
            else
            {
                _divided.Add((blocked, TimeProvider.System.GetTimestamp()));
            }
        }
    }

    // Halves the calls until those whose key is not free are alone, and stores the others. They have waited together, so that a part waits
    // only for a short time. All parts of one size come before the smaller ones: most of the calls are stored with the first of them.
    private async Task DivideAsync(List<PendingEnqueue> blocked, long began)
    {
        var parts = new Queue<List<PendingEnqueue>>();
        for (Divide(blocked); parts.TryDequeue(out var part);)
        {
            part.RemoveAll(_blockedKeys.TryAdd);
            if (TimeProvider.System.GetElapsedTime(began) >= KeyLimit)
            {
                EndLateCalls(part);
            }
            else if (part.Count > 0)
            {
                Divide(await WriteBatchAsync(part, BlockedKeys.ShortTry).ConfigureAwait(false));
            }
        }

        void Divide(List<PendingEnqueue> calls)
        {
            if (calls is [var alone])
            {
                _blockedKeys.Add(alone);
            }
            else if (calls.Count > 0)
            {
                var half = calls.Count / 2;
                parts.Enqueue(calls.GetRange(0, half));
                parts.Enqueue(calls.GetRange(half, calls.Count - half));
            }
        }
    }

    private void EndLateCalls(List<PendingEnqueue> calls)
    {
        foreach (var call in calls)
        {
            var key = EntryText.Shown(call.Entry.UniqueKey!);
            call.TrySetException(new StoreUnavailableException(
                $"The entry with the unique key '{key}' was not stored within {KeyLimit.TotalSeconds} s: the keys of many calls at the "
                + "same time were not free, because open transactions have taken or freed them, or the store answered late. Nothing was "
                + "stored. Try again later.")
            {
                WaitedForKey = true,
            });
        }
    }

    // Returns false if the key of the call, which is known not to be free, is still not free.
    private async Task<bool> TryWriteAsync(PendingEnqueue call, TimeSpan keyWait)
        => (await WriteBatchAsync([call], keyWait, isBlocked: true).ConfigureAwait(false)).Count == 0;

    // Returns the calls of which at least one has a unique key that is not free, and nothing of them was stored. A call that is returned
    // alone was tried alone.
    private async Task<List<PendingEnqueue>> WriteBatchAsync(List<PendingEnqueue> batch, TimeSpan keyWait, bool isBlocked = false)
    {
        try
        {
            return await StoreBatchAsync(batch, keyWait, isBlocked).ConfigureAwait(false) ? [] : batch;
        }
        catch (Exception exception) when (PartsAfter(exception, batch) is { Count: > 1 } parts)
        {
            // Nothing was stored. Write each part alone, so that only the entries that can't be stored fail.
            List<PendingEnqueue> blocked = [];
            foreach (var part in parts)
            {
                // After the first key that is not free, return the others too: their callers would wait for one key after the other.
                blocked.AddRange(blocked.Count > 0 ? part : await WriteBatchAsync(part, keyWait, isBlocked).ConfigureAwait(false));
            }

            return blocked;
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

            return [];
        }
    }

    // Returns whether the entries are stored, which they are not if a unique key is not free.
    private async Task<bool> StoreBatchAsync(List<PendingEnqueue> batch, TimeSpan keyWait, bool isBlocked)
    {
        // Calls whose callers no longer wait are skipped. If one is cancelled meanwhile, nothing was stored, and the others are retried.
        while (batch.RemoveAll(static call => call.IsCancelled) >= 0 && batch.Count > 0)
        {
            var (token, linked) = _store.Traits.TakesBackQueuedWrites ? Link(batch) : default;
            try
            {
                NewEntry[] entries = [.. batch.Select(static call => call.Entry)];
                var results = entries[0].UniqueKey is null
                    ? await StoreAsync(entries, token).ConfigureAwait(false)
                    : await TryStoreAsync(entries, keyWait, isBlocked, token).ConfigureAwait(false);
                if (results is null)
                {
                    return false;
                }

                for (var i = 0; i < results.Length; i++)
                {
                    batch[i].TrySetResult(results[i]);
                }

                return true;
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

        return true;
    }

    private async ValueTask<EnqueueResult[]?> TryStoreAsync(
        NewEntry[] entries, TimeSpan keyWait, bool isBlocked, CancellationToken cancellationToken)
    {
        var results = await _store.TryEnqueueAsync(entries, keyWait, isBlocked, cancellationToken).ConfigureAwait(false);
        if (results is not null)
        {
            _waker.Wake(entries);
        }

        return results;
    }

    // The parts of a batch that may be stored without the others after an error which proves that nothing was stored. A role that may not
    // add queues or kinds (42501), for example, can store the entries whose names are there already, and so can one that finds no number
    // for a new name (2200H). Other errors that a person must repair do not depend on the names: after a refused login, one more for each
    // part may lock the account.
    private static List<List<PendingEnqueue>> PartsAfter(Exception exception, List<PendingEnqueue> batch)
        => IsRefusal(exception) ? [.. batch.Select(static call => new List<PendingEnqueue> { call })]
            : exception is StoreConfigurationException { InnerException: DbException { SqlState: "42501" or "2200H" } }
            ? [.. batch.GroupBy(static call => (call.Entry.Queue, call.Entry.Kind)).Select(static part => part.ToList())]
            : [batch];

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
