using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Puts starts that wait at the same moment into one transaction. A start is not delayed to fill a batch: if a writer is free, it
/// is sent at once.</summary>
/// <remarks>A batch skips jobs, and tasks that runs would continue, if another transaction has locked them. Their starts wait behind the
/// batches, one job at a time: an operator's open transaction may keep a row locked for as long as it lasts, and the other runs start
/// meanwhile.</remarks>
internal sealed class StartBatches
{
    /// <summary>The number of starts in one transaction.</summary>
    internal const int MaxItems = 500;

    // Two writers, so that one batch can be judged while the commit of another is flushed to disk. The second one begins only if its batch
    // is worth a transaction: early starts arrive in groups, one right after the other.
    private static readonly BatchRules<Call> Rules = new() { MaxWriters = 2, NextWriterFrom = 16, MaxItems = MaxItems };

    // A writer that waits for a lock keeps a connection, of which a process has few.
    private static readonly BatchRules<Call> WaitingRules = new() { MaxWriters = 1, MaxItems = MaxItems };

    // A run whose job stays locked is put back, so that it does not occupy a slot.
    private readonly StartPutOffs _putOffs = new(TimeProvider.System);
    private readonly TaskStarter _starter;
    private readonly Batcher<Call> _batcher;
    private readonly Batcher<Call> _waiting;

    /// <param name="starter">Starts the runs of a batch.</param>
    public StartBatches(TaskStarter starter)
    {
        _starter = starter;
        _batcher = new Batcher<Call>(WriteAsync, Rules, TimeProvider.System);
        _waiting = new Batcher<Call>(WaitForOneJobAsync, WaitingRules, TimeProvider.System);
    }

    /// <summary>How long a start waits for its job or task, if another transaction has locked it, before it is put off. It occupies a slot
    /// meanwhile, so this is not the time limit of a statement: two runs of a locked job would stop a queue that runs two at
    /// once.</summary>
    internal TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Starts a run.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the start.</param>
    public Task<TaskStart> StartAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var call = new Call(request, TimeProvider.System.GetTimestamp());
        _batcher.Add(call);
        return call.Task.WaitOrAbandonAsync(cancellationToken);
    }

    private Task WriteAsync(List<Call> calls) => WriteAsync(calls, waits: false);

    // The others try again first: their jobs may be free by now.
    private async Task WaitForOneJobAsync(List<Call> calls)
    {
        var job = calls[0].Request.JobId;
        calls.FindAll(call => call.Request.JobId != job).ForEach(_batcher.Add);
        await WriteAsync(calls.FindAll(call => call.Request.JobId == job), waits: true).ConfigureAwait(false);
    }

    private async Task WriteAsync(List<Call> calls, bool waits)
    {
        // A request that is repeated while the first one waits gets the same answer.
        var batch = calls.GroupBy(static call => call.Request).ToDictionary(static same => same.Key, static same => same.ToList());
        if (await TryWriteAsync(batch, waits, isLast: batch.Count == 1).ConfigureAwait(false))
        {
            return;
        }

        // Send each start alone, so that only the one that can't be stored fails. A start that is stored already gets the same answer.
        foreach (var (request, same) in batch)
        {
            await TryWriteAsync(new Dictionary<TaskStartRequest, List<Call>> { [request] = same }, waits, isLast: true)
                .ConfigureAwait(false);
        }
    }

    private async Task<bool> TryWriteAsync(Dictionary<TaskStartRequest, List<Call>> batch, bool waits, bool isLast)
    {
        try
        {
            TaskStartRequest[] requests = [.. batch.Keys];
            var starts = await _starter.StartAsync(requests, waits).ConfigureAwait(false);
            for (var i = 0; i < requests.Length; i++)
            {
                if (starts[i] is { } start)
                {
                    _putOffs.Forget(requests[i].JobId);
                    batch[requests[i]].ForEach(call => call.TrySetResult(start));
                }
                else
                {
                    batch[requests[i]].ForEach(WaitOrPutOff);
                }
            }
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout && isLast)
        {
            // The transaction has changed nothing.
            batch.Values.SelectMany(static calls => calls).ToList().ForEach(WaitOrPutOff);
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            // Another transaction has locked the job, or a task of one of the runs: the other runs start without it. Without a wait it is a
            // row that a batch does not skip.
            return waits && await TryWriteAsync(batch, waits: false, isLast: false).ConfigureAwait(false);
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

    // The answer says for certain that the run has not started, so that its outcome does not wait for the job too.
    private void WaitOrPutOff(Call call)
    {
        if (TimeProvider.System.GetElapsedTime(call.Since) < Patience)
        {
            _waiting.Add(call);
            return;
        }

        var wait = _putOffs.PutOff(call.Request.JobId) * (0.8 + (0.4 * Random.Shared.NextDouble()));
        call.TrySetResult(new TaskStart(TaskStartDecision.Wait, null, null, null, wait));
    }

    private sealed class Call(TaskStartRequest request, long since)
        : TaskCompletionSource<TaskStart>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public TaskStartRequest Request => request;

        public long Since => since;
    }
}
