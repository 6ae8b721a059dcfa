using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Lets single enqueues that wait at the same moment share one transaction. Nobody waits for company: a call that finds a free writer goes at once.</summary>
internal sealed class EnqueueGroups(LocalClaimers claimers) : IThreadPoolWorkItem
{
    // Two, so that one group is written while the next one's commit is on its way to the disk.
    private const int MaxWriters = 2;
    private const int MaxGroup = 1_000;

    // A group is one statement of the store, and fails as one: large entries don't make others wait for megabytes.
    private const int MaxGroupBytes = 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Call> _calls = new();
    private int _writers;

    /// <summary>Stores one entry, perhaps together with others.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="cancellationToken">Gives up the wait, and the write if it has not begun.</param>
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
                // Nothing was stored. Only the entry that can't be stored is to fail, whichever it is.
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
                // Nothing was stored. The call that was cancelled must never be; the others begin again.
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

    // Mostly there is one token, or none.
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
