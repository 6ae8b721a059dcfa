using TaskRecovery.Crash.Host;

namespace TaskRecovery.Chaos;

/// <summary>Cancels many waiting entries at once, stops that on the way now and then, and undoes it, while the nodes that carry it out are
/// killed. Nothing else changes these entries, so that what an operation did can be checked.</summary>
internal sealed class BulkOperator(IJobQueue queue, IQueueOperator operate, Random random)
{
    private const string Queue = "bulk";
    private const int Entries = 2_000;

    private static readonly AuditInfo Actor = new("chaos");

    /// <summary>How many operations reached their end or were stopped.</summary>
    private int Finished { get; set; }

    /// <summary>Cancels and undoes until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StoreAsync(cancellationToken);
            while (true)
            {
                await CancelAsync(random.Next(3) == 0, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The harm is over.
        }
    }

    /// <summary>Cancels what is left, so that nothing waits at the end. An operation that runs already ends first.</summary>
    /// <returns><see langword="false"/> if that took longer than the limit.</returns>
    public async Task<bool> TryFinishAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(limit);
        try
        {
            await FinishAsync(patience.Token);
            Console.WriteLine($"{Finished} bulk operations ended while there was harm");
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task FinishAsync(CancellationToken cancellationToken)
    {
        var page = await operate.ListOperationsAsync(new OperationQuery { Limit = 1_000 }, cancellationToken);
        foreach (var running in page.Operations)
        {
            await UntilEndedAsync(running.Id, cancellationToken);
        }

        var preview = await PreviewAsync(cancellationToken);
        await operate.StartAsync(preview.OperationId, Actor, cancellationToken);
        await UntilEndedAsync(preview.OperationId, cancellationToken);
    }

    // Each entry has a due time of its own, a day ahead: an undo has to restore it.
    private async Task StoreAsync(CancellationToken cancellationToken)
    {
        var due = DateTimeOffset.UtcNow.AddDays(1);
        var requests = Enumerable.Range(0, Entries).Select(number => EnqueueRequest.Create(
            new PlainProbe(0),
            new EnqueueOptions { Queue = Queue, RunAt = due.AddSeconds(number), UniqueKey = $"bulk {number}" })).ToList();
        await UntilAcknowledgedAsync(() => queue.EnqueueManyAsync(requests, cancellationToken: cancellationToken), cancellationToken);
    }

    private async Task CancelAsync(bool stops, CancellationToken cancellationToken)
    {
        var preview = await PreviewAsync(cancellationToken);
        await UntilAcknowledgedAsync(() => operate.StartAsync(preview.OperationId, Actor, cancellationToken), cancellationToken);
        if (stops)
        {
            await Task.Delay(random.Next(0, 1_000), cancellationToken);
            await UntilAcknowledgedAsync(() => operate.StopAsync(preview.OperationId, Actor, cancellationToken), cancellationToken);
        }

        var ended = await UntilEndedAsync(preview.OperationId, cancellationToken);
        Finished++;
        if (ended.Done > 0)
        {
            await UntilAcknowledgedAsync(() => operate.UndoAsync(preview.OperationId, Actor, cancellationToken), cancellationToken);
            var undone = await UntilAcknowledgedAsync(
                () => operate.FindOperationAsync(preview.OperationId, null, cancellationToken), cancellationToken);
            await UntilEndedAsync(undone!.UndoneBy!.Value, cancellationToken);
            Finished++;
        }
    }

    private Task<OperationPreview> PreviewAsync(CancellationToken cancellationToken)
    {
        var request = new BulkRequest { Action = BulkAction.Cancel, Query = new EntryQuery { Queue = Queue } };
        return UntilAcknowledgedAsync(() => operate.PreviewAsync(request, Actor, cancellationToken), cancellationToken);
    }

    // The nodes carry it out.
    private async Task<BulkOperation> UntilEndedAsync(long operation, CancellationToken cancellationToken)
    {
        while (true)
        {
            var found = await UntilAcknowledgedAsync(
                () => operate.FindOperationAsync(operation, null, cancellationToken), cancellationToken);
            if (found!.State != OperationState.Running)
            {
                return found;
            }

            await Task.Delay(100, cancellationToken);
        }
    }

    private static async Task<T> UntilAcknowledgedAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (Exception exception) when (exception is StoreUnavailableException or TimeoutException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }
}
