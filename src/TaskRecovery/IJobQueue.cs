using System.Data.Common;

namespace TaskRecovery;

/// <summary>Puts work on the durable queue, and looks after it.</summary>
/// <remarks>Safe to use from many threads. When the task of an enqueue completes, the entry is stored and survives a crash of this process. Every method throws
/// <see cref="StoreUnavailableException"/> when the database can't be reached or did not confirm.</remarks>
public interface IJobQueue
{
    /// <summary>Stores one entry, which any node may work; where this process works its queue and has nothing else to do, it starts here.</summary>
    /// <param name="args">The work to do, stored as JSON: keep it small and able to change.</param>
    /// <param name="options">When and where to run it; <see langword="null"/> means now, with the defaults.</param>
    /// <param name="cancellationToken">Cancels the write. An entry already stored stays.</param>
    /// <exception cref="KindNotRegisteredException">No kind was registered for <typeparamref name="TArgs"/>; nothing was stored.</exception>
    /// <exception cref="ArgumentException">The arguments or an option can't be stored: too large, out of range, or with a NUL character. The message says which value and what to do; nothing was stored.</exception>
    /// <exception cref="NotSupportedException">A value of <typeparamref name="TArgs"/> would not read back as it was written; the message names the member and the remedy. Nothing was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write. Enqueueing again with the same
    /// <see cref="EnqueueOptions.UniqueKey"/> stores it once.</exception>
    ValueTask<EnqueueResult> EnqueueAsync<TArgs>(TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Stores one entry inside the caller's own transaction: it is visible to workers when that commits, and gone if it rolls back.</summary>
    /// <param name="args">The work to do, stored as JSON.</param>
    /// <param name="transaction">An open transaction of the store's own kind (<c>NpgsqlTransaction</c>, <c>SqliteTransaction</c>) on the store's database.</param>
    /// <param name="options">When and where to run it; <see langword="null"/> means now, with the defaults.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="KindNotRegisteredException">No kind was registered for <typeparamref name="TArgs"/>; nothing was stored.</exception>
    /// <exception cref="ArgumentException">The transaction is not an open one of the store's kind and database, or the arguments or an option can't be stored; nothing was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not take the write; roll back, and try again.</exception>
    ValueTask<EnqueueResult> EnqueueAsync<TArgs>(TArgs args, DbTransaction transaction, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Stores many entries of any kinds, all or none: one transaction, at most 10,000 entries a round trip.</summary>
    /// <param name="requests">What to store, in order; results come back in the same order.</param>
    /// <param name="transaction">The caller's own transaction, or <see langword="null"/> for one of the store's.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="KindNotRegisteredException">No kind was registered for one of the types; nothing was stored.</exception>
    /// <exception cref="ArgumentException">One of the entries can't be stored, or the transaction is not an open one of the store's kind and database; nothing was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write.</exception>
    ValueTask<IReadOnlyList<EnqueueResult>> EnqueueManyAsync(IEnumerable<EnqueueRequest> requests, DbTransaction? transaction = null, CancellationToken cancellationToken = default);

    /// <summary>Finds one entry, waiting, running or ended; <see langword="null"/> if there is none or retention has removed it.</summary>
    ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Lists entries, newest first, a page at a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="EntryFilter.Limit"/> is not 1 to 1,000.</exception>
    ValueTask<EntryPage> ListAsync(EntryFilter? filter = null, CancellationToken cancellationToken = default);

    /// <summary>Asks that an entry be cancelled. A waiting one ends at once; a running one has its token was cancelled, on whichever node it runs.</summary>
    /// <returns><see langword="true"/> if the request was stored, <see langword="false"/> if there is no such entry or it has ended already.</returns>
    ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Puts an entry that failed or was cancelled back into its queue with a fresh set of attempts.</summary>
    /// <param name="entryId">The entry.</param>
    /// <param name="from">Whether it continues after its last finished step or starts anew.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see cref="OperatorResult.Done"/> if it waits again, or why it does not.</returns>
    ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from = RetryFrom.LastStep, CancellationToken cancellationToken = default);

    /// <summary>Erases what the application stored in entries: arguments, metadata, unique key, results, errors, steps and checkpoint, also those of the task that an entry runs.</summary>
    /// <remarks>
    /// <para>What remains is an ended entry with its id, kind, queue, times, state and counts, and the reason <see cref="EndReasons.Erased"/>. An entry that waits is cancelled. An entry
    /// that runs is cancelled too, at once: its node loses it and cancels its handler, and nothing that the handler still reports is stored. The handler's own effects are its own business.</para>
    /// <para>A unique key or a metadata pair has no index over the history: the whole history is read, a part at a time. Entries that are stored meanwhile are not erased.</para>
    /// </remarks>
    /// <param name="target">Which entries.</param>
    /// <param name="cancellationToken">Stops between two entries; those that were erased stay erased.</param>
    /// <returns>How many entries the target matched; all of them are erased. Safe to repeat.</returns>
    ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken = default);

    /// <summary>Counts entries by state.</summary>
    /// <param name="queue">One queue, or <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    ValueTask<QueueCounts> CountAsync(string? queue = null, CancellationToken cancellationToken = default);

    /// <summary>Stops every node from claiming from a queue. Running entries go on; enqueueing goes on. Stored, so it outlives restarts.</summary>
    /// <exception cref="ArgumentException">The name is empty, over 100 bytes of UTF-8 or has a NUL character.</exception>
    ValueTask PauseAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Lets nodes claim from a paused queue again.</summary>
    /// <exception cref="ArgumentException">The name is empty, over 100 bytes of UTF-8 or has a NUL character.</exception>
    ValueTask ResumeAsync(string queue, CancellationToken cancellationToken = default);
}
