using System.Data.Common;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Entries of TaskRecovery in the transaction of a context. The tables of TaskRecovery must be in the context's
/// database.</summary>
public static class TaskRecoveryDbContextExtensions
{
    /// <summary>Saves the changes of the context and enqueues an entry in one transaction: both are stored, or neither. In a transaction
    /// that has begun already, both become part of it. Otherwise this method begins and commits one, repeats it as the context's execution
    /// strategy says, and takes the entry as proof that a commit whose answer was lost has happened.</summary>
    /// <param name="context">A context that was created by dependency injection, with <c>AddTaskRecovery</c> in the same services.</param>
    /// <param name="args">The arguments of the entry.</param>
    /// <param name="options">The options of the entry.</param>
    /// <param name="cancellationToken">Cancels the call; nothing is stored then.</param>
    /// <returns>The entry, and whether it existed before because of its unique key.</returns>
    /// <exception cref="InvalidOperationException">The context was created outside dependency injection, or <c>AddTaskRecovery</c> is
    /// missing. Or the answer to the commit was lost and the entry, a duplicate, can't tell whether it happened.</exception>
    public static async Task<EnqueueResult> SaveChangesAndEnqueueAsync<TArgs>(
        this DbContext context, TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(context);
        var queue = QueueOf(context);
        if (context.Database.CurrentTransaction is not null)
        {
            await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
            return await context.EnqueueAsync(args, options, cancellationToken).ConfigureAwait(false);
        }

        EnqueueResult? stored = null;
        var result = await context.Database.CreateExecutionStrategy().ExecuteInTransactionAsync(
            async token =>
            {
                // The changes are accepted after the commit, so that a repetition saves them again.
                await context.SaveChangesAsync(acceptAllChangesOnSuccess: false, token).ConfigureAwait(false);
                stored = await context.EnqueueAsync(args, options, token).ConfigureAwait(false);
                return stored.Value;
            },
            async token => await WasCommittedAsync(queue, stored, token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
        context.ChangeTracker.AcceptAllChanges();
        return result;
    }

    /// <summary>Enqueues an entry in the current transaction of the context. Workers see it when the transaction commits.</summary>
    /// <param name="context">A context that was created by dependency injection, with <c>AddTaskRecovery</c> in the same services.</param>
    /// <param name="args">The arguments of the entry.</param>
    /// <param name="options">The options of the entry.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">No transaction has begun, the context was created outside dependency injection, or
    /// <c>AddTaskRecovery</c> is missing. Nothing was stored.</exception>
    public static ValueTask<EnqueueResult> EnqueueAsync<TArgs>(
        this DbContext context, TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(context);
        return QueueOf(context).EnqueueAsync(args, TransactionOf(context), options, cancellationToken);
    }

    /// <summary>Enqueues entries in the current transaction of the context.</summary>
    /// <param name="context">A context that was created by dependency injection, with <c>AddTaskRecovery</c> in the same services.</param>
    /// <param name="requests">The entries.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">No transaction has begun, the context was created outside dependency injection, or
    /// <c>AddTaskRecovery</c> is missing. Nothing was stored.</exception>
    public static ValueTask<IReadOnlyList<EnqueueResult>> EnqueueManyAsync(
        this DbContext context, IEnumerable<EnqueueRequest> requests, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        return QueueOf(context).EnqueueManyAsync(requests, TransactionOf(context), cancellationToken);
    }

    /// <summary>Completes the entry that a worker runs in the current transaction of the context, directly before its commit: the worker's
    /// effects and the outcome commit together.</summary>
    /// <param name="work">The context of the worker.</param>
    /// <param name="context">The EF Core context whose transaction has stored the effects.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">No transaction has begun.</exception>
    /// <exception cref="ClaimLostException">This node no longer holds the claim: the transaction can't commit.</exception>
    public static Task CompleteAsync(this WorkContext work, DbContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        ArgumentNullException.ThrowIfNull(context);
        return work.CompleteAsync(TransactionOf(context), cancellationToken);
    }

    // The entry commits together with the changes, so that it exists exactly if they do.
    private static async Task<bool> WasCommittedAsync(IJobQueue queue, EnqueueResult? stored, CancellationToken cancellationToken)
        => stored switch
        {
            null => false,
            { IsDuplicate: true } => throw new InvalidOperationException(
                $"The answer to the commit was lost. Entry {stored.Value.Id} existed before, because it has the same unique key, "
                + "so that it does not tell whether the changes are stored: read them."),
            { } entry => await queue.FindAsync(entry.Id, cancellationToken).ConfigureAwait(false) is not null,
        };

    private static DbTransaction TransactionOf(DbContext context)
        => context.Database.CurrentTransaction?.GetDbTransaction()
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} has no current transaction. Begin one with Database.BeginTransactionAsync, "
                + $"or call {nameof(SaveChangesAndEnqueueAsync)}, which begins and commits one.");

    private static IJobQueue QueueOf(DbContext context)
        => context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider
            ?.GetService<IJobQueue>()
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} knows no IJobQueue. Register the context with AddDbContext in the services that AddTaskRecovery "
                + "was called on, or call IJobQueue.EnqueueAsync with Database.CurrentTransaction.GetDbTransaction().");
}
