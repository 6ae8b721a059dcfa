using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>Stores the steps and checkpoints of all runs of this process. Those that wait at the same moment share a transaction; a single
/// one is stored at once.</summary>
internal sealed class ProgressWriter
{
    // Two writers, so that one batch can be written while the commit of another is flushed to disk. The limit of its size keeps small
    // steps from waiting for megabytes of large ones.
    private static readonly BatchRules<ProgressCall> Rules = new()
    {
        MaxWriters = 2,
        MaxItems = 500,
        SizeOf = static call => call.Write.Data.Length,
        MaxSize = 1024 * 1024,
    };

    private readonly IEntryStore _store;
    private readonly Batcher<ProgressCall> _batcher;

    public ProgressWriter(IEntryStore store, TimeProvider time)
    {
        _store = store;
        _batcher = new Batcher<ProgressCall>(WriteAsync, Rules, time);
    }

    /// <summary>Stores a step or a checkpoint, and returns when that is durable.</summary>
    /// <param name="lease">The lease under which the run was claimed.</param>
    /// <param name="write">What to store.</param>
    /// <returns><see langword="false"/> if the node no longer holds the claim; nothing was stored.</returns>
    public Task<bool> WriteAsync(NodeLease lease, ProgressWrite write)
    {
        var call = new ProgressCall(lease, write);
        _batcher.Add(call);
        return call.Task;
    }

    private async Task WriteAsync(List<ProgressCall> batch)
    {
        // Nearly always one lease. The lease decides under which node and until when its calls may be stored.
        var first = batch[0].Lease;
        if (batch.TrueForAll(call => call.Lease == first))
        {
            await StoreAsync(first, batch).ConfigureAwait(false);
            return;
        }

        foreach (var group in batch.GroupBy(call => call.Lease))
        {
            await StoreAsync(group.Key, [.. group]).ConfigureAwait(false);
        }
    }

    private async Task StoreAsync(NodeLease lease, List<ProgressCall> calls)
    {
        try
        {
            var whileQueued = lease.WhileQueued(_store.Traits);
            whileQueued.ThrowIfCancellationRequested();
            var writes = calls.ConvertAll(static call => call.Write);
            var held = await _store.SaveProgressAsync(lease.NodeId, writes, whileQueued).ConfigureAwait(false);
            for (var i = 0; i < held.Length; i++)
            {
                calls[i].TrySetResult(held[i]);
            }
        }
        catch (Exception exception) when (calls.Count > 1 && !OutageReporter.IsOutage(exception) && !StoreFailures.Is(exception))
        {
            // Store each call alone, so that only the one that can't be stored fails. What is stored already may be stored again.
            foreach (var call in calls)
            {
                await StoreAsync(lease, [call]).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            calls.ForEach(call => call.TrySetException(exception));
        }
    }
}
