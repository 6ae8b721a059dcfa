using System.Data.Common;
using System.Runtime.ExceptionServices;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskRecovery;
using TaskRecovery.EntityFrameworkCore.Saving;
using TaskRecovery.Storage;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Entries of TaskRecovery in the transaction of a context. The tables of TaskRecovery must be in the context's
/// database.</summary>
public static class TaskRecoveryDbContextExtensions
{
    // The wait before the store is asked again what became of a commit whose answer was lost.
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestDoubt = TimeSpan.FromMinutes(1);

    /// <summary>Saves the changes of the context and enqueues an entry in one transaction: both are stored, or neither. In a transaction
    /// that has begun already, both become part of it. Otherwise this method begins and commits one, and repeats it as the context's
    /// execution strategy says. If the answer to the commit is lost, this method asks the database whether the transaction was committed,
    /// for up to a minute while the database can't be used or the commit still waits for a standby.</summary>
    /// <remarks>In a transaction of its own, this method calls <c>SaveChangesAsync(bool, CancellationToken)</c>, so that the changes are
    /// accepted after the commit. A context that overrides <c>SaveChangesAsync(CancellationToken)</c> alone is refused, because its
    /// override would be skipped.</remarks>
    /// <param name="context">A context that was created by dependency injection, with <c>AddTaskRecovery</c> in the same services.</param>
    /// <param name="args">The arguments of the entry. They are created before the changes are saved, so that they can't contain a key that
    /// the database generates.</param>
    /// <param name="options">The options of the entry.</param>
    /// <param name="cancellationToken">Cancels the call. Nothing is stored then, unless the commit has begun.</param>
    /// <returns>The entry, and whether it existed before because of its unique key.</returns>
    /// <exception cref="InvalidOperationException">The context was created outside dependency injection, or <c>AddTaskRecovery</c> is
    /// missing. Or no transaction has begun and the context overrides <c>SaveChangesAsync(CancellationToken)</c> alone. Or the answer to
    /// the commit was lost, and it is unknown whether it happened: the entry is a duplicate, the database was not available for a minute,
    /// the commit had not ended after a minute, or completed entries are kept for less than a minute.</exception>
    public static Task<EnqueueResult> SaveChangesAndEnqueueAsync<TArgs>(
        this DbContext context, TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull
    {
        ArgumentNullException.ThrowIfNull(context);

        // An empty batch stores nothing. But the queue remembers its transaction in the caller's flow, because this method is not async, so
        // that a later call without the transaction is refused instead of waiting for it.
        return context.Database.CurrentTransaction is { } transaction
            ? InCurrentTransactionAsync(
                context, args, options, QueueOf(context).EnqueueManyAsync([], transaction.GetDbTransaction(), cancellationToken),
                cancellationToken)
            : InOwnTransactionAsync(context, args, options, cancellationToken);
    }

    /// <inheritdoc cref="SaveChangesAndEnqueueAsync{TArgs}(DbContext, TArgs, EnqueueOptions?, CancellationToken)"/>
    public static Task<EnqueueResult> SaveChangesAndEnqueueAsync<TArgs>(
        this DbContext context, TArgs args, CancellationToken cancellationToken)
        where TArgs : notnull
        => context.SaveChangesAndEnqueueAsync(args, options: null, cancellationToken);

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

    /// <inheritdoc cref="EnqueueAsync{TArgs}(DbContext, TArgs, EnqueueOptions?, CancellationToken)"/>
    public static ValueTask<EnqueueResult> EnqueueAsync<TArgs>(this DbContext context, TArgs args, CancellationToken cancellationToken)
        where TArgs : notnull
        => context.EnqueueAsync(args, options: null, cancellationToken);

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

    private static async Task<EnqueueResult> InCurrentTransactionAsync<TArgs>(
        DbContext context, TArgs args, EnqueueOptions? options, ValueTask<IReadOnlyList<EnqueueResult>> remembered,
        CancellationToken cancellationToken)
        where TArgs : notnull
    {
        await remembered.ConfigureAwait(false);
        await context.SaveChangesAsync(cancellationToken).ConfigureAwait(false);
        return await context.EnqueueAsync(args, options, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<EnqueueResult> InOwnTransactionAsync<TArgs>(
        DbContext context, TArgs args, EnqueueOptions? options, CancellationToken cancellationToken)
        where TArgs : notnull
    {
        var queue = QueueOf(context);
        var strategy = context.Database.CreateExecutionStrategy();
        SaveOverrides.RefuseSkipped(context, strategy.RetriesOnFailure);
        var result = await strategy.ExecuteAsync(
            async token =>
            {
                EnqueueResult? stored = null;
                Func<CancellationToken, ValueTask<bool?>>? ask = null;
                try
                {
                    var transaction = await context.Database.BeginTransactionAsync(token).ConfigureAwait(false);
                    await using var _ = transaction.ConfigureAwait(false);

                    // The changes are accepted after the commit, so that a repetition saves them again.
                    await context.SaveChangesAsync(acceptAllChangesOnSuccess: false, token).ConfigureAwait(false);
                    var added = await context.EnqueueAsync(args, options, token).ConfigureAwait(false);
                    token.ThrowIfCancellationRequested();
                    ask = ServicesOf(context)?.GetService<IEntryStore>()?.FollowCommit(transaction.GetDbTransaction(), added.Id);
                    stored = added;
                    await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                    return added;
                }
                catch (StoreUnavailableException exception)
                    when (stored is null && strategy.RetriesOnFailure && exception.InnerException is DbException)
                {
                    // The strategies of EF Core know the errors of the driver.
                    ExceptionDispatchInfo.Throw(exception.InnerException);
                    throw;
                }
                catch (Exception exception) when (stored is { } added && !DatabaseErrors.IsAnswer(exception))
                {
                    // The entry commits together with the changes, so that it exists exactly if they do.
                    ask ??= async late => await queue.FindAsync(added.Id, late).ConfigureAwait(false) is not null;
                    if (!await WasCommittedAsync(context, added, ask, exception, token).ConfigureAwait(false))
                    {
                        throw;
                    }

                    return added;
                }
            },
            cancellationToken).ConfigureAwait(false);
        context.ChangeTracker.AcceptAllChanges();
        return result;
    }

    private static async Task<bool> WasCommittedAsync(
        DbContext context, EnqueueResult stored, Func<CancellationToken, ValueTask<bool?>> ask, Exception failure,
        CancellationToken cancellationToken)
    {
        if (stored.IsDuplicate)
        {
            throw Unknown(
                $"entry {stored.Id} existed before, because it has the same unique key, so that it does not tell whether the changes are "
                + "stored: read them.");
        }

        var time = ServicesOf(context)?.GetService<TimeProvider>() ?? TimeProvider.System;
        var started = time.GetTimestamp();
        for (var wait = FirstWait; ; wait = wait < LongestWait ? wait * 2 : LongestWait)
        {
            var doubt = "it was still in progress after a minute, as a commit is that waits for a standby";
            try
            {
                if (await ask(cancellationToken).ConfigureAwait(false) is { } isCommitted)
                {
                    return isCommitted
                        || (ServicesOf(context)?.GetService<IOptions<TaskRecoveryOptions>>()?.Value.Retention is { } kept
                            && new[] { kept.Completed, kept.Failed, kept.Cancelled }.Min() < LongestDoubt
                            ? throw Unknown(
                                $"entry {stored.Id} is not there. It may have ended and been removed, because RetentionOptions keep "
                                + $"entries for less than {LongestDoubt}: read whether the changes are stored.")
                            : false);
                }
            }
            catch (Exception exception) when (exception is StoreUnavailableException or StoreConfigurationException)
            {
                // A server that is being restored, or whose role is being changed, refuses a question that it answers later.
                doubt = $"the database could not be asked for a minute ({exception.Message})";
            }

            if (time.GetElapsedTime(started) > LongestDoubt)
            {
                throw Unknown(
                    $"{doubt}. The changes are stored if entry {stored.Id} is: look for it before you repeat them.");
            }

            await Task.Delay(wait, time, cancellationToken).ConfigureAwait(false);
        }

        InvalidOperationException Unknown(string why) => new($"The answer to the commit was lost, and {why}", failure);
    }

    private static DbTransaction TransactionOf(DbContext context)
        => context.Database.CurrentTransaction?.GetDbTransaction()
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} has no current transaction. Begin one with Database.BeginTransactionAsync, "
                + $"or call {nameof(SaveChangesAndEnqueueAsync)}, which begins and commits one.");

    private static IJobQueue QueueOf(DbContext context)
        => ServicesOf(context)?.GetService<IJobQueue>()
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} knows no IJobQueue. Register the context with AddDbContext in the services that AddTaskRecovery "
                + "was called on, or call IJobQueue.EnqueueAsync with Database.CurrentTransaction.GetDbTransaction().");

    private static IServiceProvider? ServicesOf(DbContext context)
        => context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider;
}
