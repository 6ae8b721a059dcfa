using System.Data.Common;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>The public queue: validates what it is given, and calls the writer of entries or the store.</summary>
internal sealed class JobQueue(
    IOperatorStore operators, IQueueOperator actions, ApplicationActor actor,
    EntryFactory factory, EntryWriter writer, OwnTransaction own, Metrics metrics,
    Tracing tracing)
    : IJobQueue
{
    public async ValueTask<EnqueueResult> EnqueueAsync<TArgs>(
        TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        AmbientTransaction.RefuseEnqueue(nameof(EnqueueAsync));
        own.RefuseEnqueue(nameof(EnqueueAsync));
        using var activity = Tracing.EndOf(tracing.StartEnqueue(options?.Queue ?? EntryLimits.DefaultQueue, kind: null, count: 1));
        var entry = factory.Create(args, options);
        try
        {
            var result = await writer.WriteAsync(entry, cancellationToken).ConfigureAwait(false);
            Stored(entry, result);
            return result;
        }
        catch (StoreUnavailableException exception) when (own.HasWaitedForItself(exception))
        {
            throw WaitedForItself(exception);
        }
    }

    // Not async, so that the AsyncLocal reaches the caller's flow (OwnTransaction).
    public ValueTask<EnqueueResult> EnqueueAsync<TArgs>(
        TArgs args, DbTransaction transaction, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        own.Passed(transaction);
        return EnqueueInAsync(args, transaction, options, cancellationToken);
    }

    // Not async, so that the AsyncLocal reaches the caller's flow (OwnTransaction).
    public ValueTask<IReadOnlyList<EnqueueResult>> EnqueueManyAsync(
        IEnumerable<EnqueueRequest> requests, DbTransaction? transaction = null, CancellationToken cancellationToken = default)
    {
        if (transaction is not null)
        {
            own.Passed(transaction);
        }

        return EnqueueAllAsync(requests, transaction, cancellationToken);
    }

    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken = default)
        => operators.FindAsync(entryId, cancellationToken);

    public ValueTask<EntryPage> ListAsync(EntryFilter? filter = null, CancellationToken cancellationToken = default)
    {
        filter ??= new EntryFilter();
        return filter.Limit is < 1 or > 1_000
            ? throw new ArgumentOutOfRangeException(
                nameof(filter), filter.Limit,
                $"{nameof(EntryFilter.Limit)} is {filter.Limit}: use 1 to 1,000, and {nameof(EntryPage.NextBefore)} for the next page.")
            : operators.ListAsync(filter, cancellationToken);
    }

    public async ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken = default)
        => await actions.CancelAsync(entryId, actor.Because(), cancellationToken).ConfigureAwait(false) == OperatorResult.Done;

    public ValueTask<OperatorResult> RetryAsync(
        long entryId, RetryFrom from = RetryFrom.LastStep, CancellationToken cancellationToken = default)
        => actions.RetryAsync(entryId, actor.Because(), new RetryOptions { From = from }, cancellationToken);

    public ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken = default)
        => actions.EraseAsync(target, actor.Because(), cancellationToken);

    public ValueTask<QueueCounts> CountAsync(string? queue = null, CancellationToken cancellationToken = default)
        => operators.CountAsync(queue, cancellationToken);

    public async ValueTask PauseAsync(string queue, CancellationToken cancellationToken = default)
        => await actions.PauseAsync(PauseTarget.Queue(queue, mayBeNew: true), actor.Because(), until: null, cancellationToken)
            .ConfigureAwait(false);

    public async ValueTask ResumeAsync(string queue, CancellationToken cancellationToken = default)
        => await actions.ResumeAsync(PauseTarget.Queue(queue), actor.Because(), cancellationToken).ConfigureAwait(false);

    private async ValueTask<EnqueueResult> EnqueueInAsync<TArgs>(
        TArgs args, DbTransaction transaction, EnqueueOptions? options, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(transaction);
        using var activity = Tracing.EndOf(tracing.StartEnqueue(options?.Queue ?? EntryLimits.DefaultQueue, kind: null, count: 1));
        var entry = factory.Create(args, options);
        var results = await writer.WriteAsync([entry], transaction, cancellationToken).ConfigureAwait(false);
        Stored(entry, results[0]);
        return results[0];
    }

    private async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAllAsync(
        IEnumerable<EnqueueRequest> requests, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (transaction is null)
        {
            AmbientTransaction.RefuseEnqueue(nameof(EnqueueManyAsync));
            own.RefuseEnqueue(nameof(EnqueueManyAsync));
        }

        if (requests.TryGetNonEnumeratedCount(out var count) && count == 0)
        {
            return [];
        }

        using var activity = Tracing.EndOf(tracing.StartEnqueue(queue: null, kind: null, count: count > 0 ? count : 2));
        var entries = requests.Select(factory.Create).ToArray();
        if (entries.Length == 0)
        {
            return [];
        }

        EnqueueResult[] results;
        try
        {
            results = await writer.WriteAsync(entries, transaction, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (transaction is null && own.HasWaitedForItself(exception))
        {
            throw WaitedForItself(exception);
        }

        for (var i = 0; i < entries.Length; i++)
        {
            Stored(entries[i], results[i]);
        }

        return results;
    }

    // A handler that makes this mistake makes it with every attempt, so that the error must spend them.
    private static StoreUnavailableException WaitedForItself(StoreUnavailableException exception)
        => new(
            "The call waited in vain for a unique key, while a transaction is open that an earlier call here was given. If that "
            + "transaction has stored an entry with the key, or completed the one that holds it, the call waited for its own caller: pass "
            + $"the transaction to this call too. ({exception.Message})",
            exception)
        {
            IsHeldByThisProcess = true,
        };

    private void Stored(NewEntry entry, EnqueueResult result)
    {
        if (!result.IsDuplicate)
        {
            // The entry is stored, so a listener that throws must not make the call look failed.
            Guard.Notify((metrics, entry), static call => call.metrics.Enqueued(call.entry.Queue, call.entry.Kind));
        }
    }
}
