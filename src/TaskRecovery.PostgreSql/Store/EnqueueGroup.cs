using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Lets calls that wait at the same moment share one transaction. A lone call goes at once and waits for nobody.</summary>
/// <param name="store">Stores entries in a transaction of their own.</param>
internal sealed class EnqueueGroup(Func<IReadOnlyList<NewEntry>, CancellationToken, ValueTask<EnqueueResult[]>> store)
{
    internal const int MaxEntries = 10_000;

    // While one group waits for the disk, the next one is on its way; more than two only make the groups smaller.
    private const int Senders = 2;

    private readonly Lock _lock = new();
    private readonly Queue<Call> _waiting = new();
    private int _senders;

    internal async ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        var call = new Call(entries, cancellationToken);
        lock (_lock)
        {
            _waiting.Enqueue(call);
            if (_senders < Senders)
            {
                _senders++;
                _ = SendAllAsync();
            }
        }

        return await call.Result.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAllAsync()
    {
        var calls = new List<Call>();
        while (Take(calls))
        {
            if (calls.Count > 0)
            {
                await SendAsync(calls).ConfigureAwait(false);
            }
        }
    }

    private bool Take(List<Call> calls)
    {
        calls.Clear();
        lock (_lock)
        {
            for (var entries = 0; _waiting.TryPeek(out var call) && (calls.Count == 0 || entries + call.Entries.Count <= MaxEntries);)
            {
                _waiting.Dequeue();
                if (!call.CancellationToken.IsCancellationRequested)
                {
                    entries += call.Entries.Count;
                    calls.Add(call);
                }
            }

            if (calls.Count > 0 || _waiting.Count > 0)
            {
                return true;
            }

            _senders--;
            return false;
        }
    }

    private async ValueTask SendAsync(List<Call> calls)
    {
        try
        {
            // A caller's token ends its own wait only: the others of its group want to be stored.
            var all = calls.Count == 1 ? calls[0].Entries : [.. calls.SelectMany(call => call.Entries)];
            var results = await store(all, calls.Count == 1 ? calls[0].CancellationToken : CancellationToken.None).ConfigureAwait(false);
            var start = 0;
            foreach (var call in calls)
            {
                call.Result.TrySetResult(results[start..(start += call.Entries.Count)]);
            }
        }
        catch (TaskRecoveryException exception)
        {
            Fail(calls, exception);
        }
        catch (Exception) when (calls.Count > 1)
        {
            // One caller's bad entry must not fail the others.
            foreach (var call in calls)
            {
                await SendAsync([call]).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            Fail(calls, exception);
        }
    }

    private static void Fail(List<Call> calls, Exception exception)
    {
        foreach (var call in calls)
        {
            call.Result.TrySetException(exception);
        }
    }

    private sealed record Call(IReadOnlyList<NewEntry> Entries, CancellationToken CancellationToken)
    {
        internal TaskCompletionSource<EnqueueResult[]> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
