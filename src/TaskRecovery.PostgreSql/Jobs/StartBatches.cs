using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Puts starts that wait at the same moment into one transaction. A start is not delayed to fill a batch: if a writer is free, it
/// is sent at once.</summary>
internal sealed class StartBatches
{
    /// <summary>The number of starts in one transaction.</summary>
    internal const int MaxItems = 500;

    // Two writers, so that one batch can be judged while the commit of another is flushed to disk. The second one begins only if its batch
    // is worth a transaction: early starts arrive in groups, one right after the other.
    private static readonly BatchRules<Call> Rules = new() { MaxWriters = 2, NextWriterFrom = 16, MaxItems = MaxItems };

    private readonly TaskStarter _starter;
    private readonly Batcher<Call> _batcher;

    public StartBatches(TaskStarter starter)
    {
        _starter = starter;
        _batcher = new Batcher<Call>(WriteAsync, Rules, TimeProvider.System);
    }

    /// <summary>Starts a run.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the start.</param>
    public Task<TaskStart> StartAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new Call(request);
        _batcher.Add(call);
        return call.Task.WaitOrAbandonAsync(cancellationToken);
    }

    private async Task WriteAsync(List<Call> calls)
    {
        // A request that is repeated while the first one waits gets the same answer.
        var batch = calls.GroupBy(static call => call.Request).ToDictionary(static same => same.Key, static same => same.ToList());
        if (await TryWriteAsync(batch, isLast: batch.Count == 1).ConfigureAwait(false))
        {
            return;
        }

        // Send each start alone, so that only the one that can't be stored fails. A start that is stored already gets the same answer.
        foreach (var (request, same) in batch)
        {
            await TryWriteAsync(new Dictionary<TaskStartRequest, List<Call>> { [request] = same }, isLast: true).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryWriteAsync(Dictionary<TaskStartRequest, List<Call>> batch, bool isLast)
    {
        try
        {
            TaskStartRequest[] requests = [.. batch.Keys];
            var starts = await _starter.StartAsync(requests).ConfigureAwait(false);
            for (var i = 0; i < requests.Length; i++)
            {
                batch[requests[i]].ForEach(call => call.TrySetResult(starts[i]));
            }
        }
        catch (Exception exception) when (isLast || exception is StoreUnavailableException or StoreConfigurationException)
        {
            foreach (var call in batch.Values.SelectMany(static calls => calls))
            {
                call.TrySetException(exception);
            }
        }
        catch (Exception)
        {
            return false;
        }

        return true;
    }

    private sealed class Call(TaskStartRequest request)
        : TaskCompletionSource<TaskStart>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TaskStartRequest Request => request;
    }
}
