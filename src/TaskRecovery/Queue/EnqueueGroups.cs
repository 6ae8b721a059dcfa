using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Batches concurrent single enqueues into one transaction. A call is not delayed to fill a batch: if a writer is free, the call
/// is written at once.</summary>
internal sealed class EnqueueGroups(LocalClaimers claimers) : IThreadPoolWorkItem
{
    // Two writers, so that one group can be written while the commit of another is flushed to disk.
    private const int MaxWriters = 2;
    private const int MaxGroup = 1_000;

    // A group is written and fails as a whole. The limit keeps small entries from waiting for megabytes of large ones.
    private const int MaxGroupBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Call> _calls = new();
    private int _writers;

    /// <summary>Stores one entry, possibly in one transaction with others.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Cancels the wait, and the write if it has not begun.</param>
    public Task<EnqueueResult> EnqueueAsync(NewEntry entry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new Call(entry, cancellationToken);
        lock (_gate)
        {
            _calls.Enqueue(call);
            if (_writers == MaxWriters)
            {
                return call.Task.WaitOrAbandonAsync(cancellationToken);
            }

            _writers++;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return call.Task.WaitOrAbandonAsync(cancellationToken);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAsync();

    private async Task WriteAsync()
    {
        while (Take() is { } group)
        {
            try
            {
                await WriteAsync(group).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not StoreUnavailableException && group.Count > 1)
            {
                // Nothing was stored. Write each entry alone, so that only the entry that can't be stored fails.
                foreach (var call in group)
                {
                    await WriteAloneAsync(call).ConfigureAwait(false);
                }
            }
            catch (Exception exception)
            {
                foreach (var call in group)
                {
                    call.TrySetException(exception);
                }
            }
        }
    }

    private List<Call>? Take()
    {
        lock (_gate)
        {
            List<Call>? group = null;
            long bytes = 0;
            while ((group?.Count ?? 0) < MaxGroup && _calls.TryPeek(out var next) && (group is null || bytes + next.Entry.Args.Length <= MaxGroupBytes))
            {
                var call = _calls.Dequeue();
                if (!call.IsCancelled)
                {
                    (group ??= []).Add(call);
                    bytes += call.Entry.Args.Length;
                }
            }

            if (group is null)
            {
                _writers--;
            }

            return group;
        }
    }

    private async Task WriteAsync(List<Call> group)
    {
        while (group.Count > 0)
        {
            var (token, linked) = claimers.TakesBackQueuedWrites ? Link(group) : default;
            try
            {
                await StoreAsync(group, token).ConfigureAwait(false);
                return;
            }
            catch (OperationCanceledException) when (token.IsCancellationRequested)
            {
                // Nothing was stored. Drop the cancelled calls and retry the others.
                group.RemoveAll(static call => call.IsCancelled);
            }
            finally
            {
                linked?.Dispose();
            }
        }
    }

    private async Task StoreAsync(List<Call> group, CancellationToken cancellationToken)
    {
        var entries = new NewEntry[group.Count];
        for (var i = 0; i < entries.Length; i++)
        {
            entries[i] = group[i].Entry;
        }

        var results = await claimers.EnqueueAsync(entries, cancellationToken).ConfigureAwait(false);
        for (var i = 0; i < entries.Length; i++)
        {
            group[i].TrySetResult(results[i]);
        }
    }

    // Usually all calls share one token or have none, so a linked source is seldom needed.
    private static (CancellationToken Token, CancellationTokenSource? Linked) Link(List<Call> group)
    {
        CancellationToken only = default;
        foreach (var call in group)
        {
            if (call.Token.CanBeCanceled && call.Token != only)
            {
                if (only.CanBeCanceled)
                {
                    var linked = CancellationTokenSource.CreateLinkedTokenSource([.. group.Select(static call => call.Token)]);
                    return (linked.Token, linked);
                }

                only = call.Token;
            }
        }

        return (only, null);
    }

    private async Task WriteAloneAsync(Call call)
    {
        try
        {
            await WriteAsync([call]).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            call.TrySetException(exception);
        }
    }

    private sealed class Call(NewEntry entry, CancellationToken cancellationToken) : TaskCompletionSource<EnqueueResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public NewEntry Entry => entry;

        public CancellationToken Token => cancellationToken;

        public bool IsCancelled => cancellationToken.IsCancellationRequested;
    }
}
