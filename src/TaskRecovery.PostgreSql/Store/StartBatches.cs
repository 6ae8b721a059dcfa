using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Puts starts that wait at the same moment into one transaction. A start is not delayed to fill a batch: if a writer is free, it
/// is sent at once.</summary>
internal sealed class StartBatches(TaskStarter starter) : IThreadPoolWorkItem
{
    // Two writers, so that one batch can be judged while the commit of another is flushed to disk.
    private const int MaxWriters = 2;
    private const int MaxBatch = 500;

    private readonly Lock _gate = new();
    private readonly Queue<Call> _calls = new();
    private int _writers;

    /// <summary>Starts a run.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the start.</param>
    public Task<TaskStart> StartAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new Call(request);
        bool isWriterFree;
        lock (_gate)
        {
            _calls.Enqueue(call);
            isWriterFree = _writers < MaxWriters;
            _writers += isWriterFree ? 1 : 0;
        }

        if (isWriterFree)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        return call.Task.WaitAsync(cancellationToken);
    }

    void IThreadPoolWorkItem.Execute() => _ = WriteAsync();

    private async Task WriteAsync()
    {
        while (Take() is { } batch)
        {
            if (await TryWriteAsync(batch, isLast: batch.Count == 1).ConfigureAwait(false))
            {
                continue;
            }

            // Nothing was stored. Send each start alone, so that only the one that can't be stored fails.
            foreach (var (request, calls) in batch)
            {
                await TryWriteAsync(new Dictionary<TaskStartRequest, List<Call>> { [request] = calls }, isLast: true).ConfigureAwait(false);
            }
        }
    }

    // A request that is repeated while the first one waits gets the same answer.
    private Dictionary<TaskStartRequest, List<Call>>? Take()
    {
        lock (_gate)
        {
            if (_calls.Count == 0)
            {
                _writers--;
                return null;
            }

            var batch = new Dictionary<TaskStartRequest, List<Call>>();
            while (batch.Count < MaxBatch && _calls.TryDequeue(out var call))
            {
                if (!batch.TryGetValue(call.Request, out var calls))
                {
                    batch.Add(call.Request, calls = new List<Call>(1));
                }

                calls.Add(call);
            }

            return batch;
        }
    }

    private async Task<bool> TryWriteAsync(Dictionary<TaskStartRequest, List<Call>> batch, bool isLast)
    {
        try
        {
            TaskStartRequest[] requests = [.. batch.Keys];
            var starts = await starter.StartAsync(requests).ConfigureAwait(false);
            for (var i = 0; i < requests.Length; i++)
            {
                batch[requests[i]].ForEach(call => call.TrySetResult(starts[i]));
            }
        }
        catch (Exception exception) when (isLast || exception is StoreUnavailableException)
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
