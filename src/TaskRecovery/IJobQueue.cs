using System.Data.Common;

namespace TaskRecovery;

/// <summary>The durable queue: stores entries, and finds, cancels, retries and erases them.</summary>
/// <remarks>Thread-safe, except that calls with the same transaction must not overlap: await each one before the next. When the task
/// returned by an enqueue completes, the entry is stored durably and survives a crash of this process. What is cancelled, retried, erased,
/// paused or resumed here is recorded as an event, with the application's name (<c>IHostEnvironment.ApplicationName</c>) as the actor. To
/// record a person and a reason, use <see cref="IQueueOperator"/>. Every method throws <see cref="StoreUnavailableException"/> if the
/// database can't be reached or does not confirm a write. On SQLite, every method that writes throws
/// <see cref="InvalidOperationException"/> while a transaction is open that was passed to an earlier call, because the write would wait for
/// that transaction, and the caller for the write.</remarks>
public interface IJobQueue
{
    /// <summary>Stores one entry, which any node may run. If this process serves the queue and has a free worker, the entry usually starts
    /// here at once.</summary>
    /// <param name="args">The arguments, stored as JSON. Keep them small and backward-compatible: an entry may be read by a later version
    /// of the application.</param>
    /// <param name="options">When and where to run it; <see langword="null"/> means now, with the defaults.</param>
    /// <param name="cancellationToken">Cancels the write. An entry that is already stored stays stored.</param>
    /// <exception cref="KindNotRegisteredException">No kind was registered for <typeparamref name="TArgs"/>, and it has no
    /// <see cref="JobKindAttribute"/>, or only a task handler runs it, or another instance of this process runs it and this one does not
    /// register it; nothing was stored.</exception>
    /// <exception cref="ArgumentException">The arguments or an option can't be stored: a value is too large or out of range; a text of the
    /// arguments or metadata has a NUL character; or the queue or the unique key is empty, is too long, or has a control character, a
    /// bidirectional formatting character or half of a surrogate pair. The message names the value and the remedy. Nothing was
    /// stored.</exception>
    /// <exception cref="NotSupportedException">A value of <typeparamref name="TArgs"/> would not survive a round trip through JSON. The
    /// message names the member and the remedy. Nothing was stored.</exception>
    /// <exception cref="InvalidOperationException">The call was made inside a <c>TransactionScope</c>, or on SQLite while a transaction is
    /// open that was passed to an earlier call: pass the transaction to this call too. Nothing was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write, so the entry may or may not be stored. Retrying
    /// with the same <see cref="EnqueueOptions.UniqueKey"/> stores no second entry while the first has not ended.</exception>
    ValueTask<EnqueueResult> EnqueueAsync<TArgs>(TArgs args, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Stores one entry in the caller's transaction. It becomes visible to workers when the transaction commits, and is discarded
    /// if it rolls back.</summary>
    /// <param name="args">The arguments, stored as JSON.</param>
    /// <param name="transaction">An open transaction on the store's database, of the store's type (<c>NpgsqlTransaction</c>,
    /// <c>SqliteTransaction</c>).</param>
    /// <param name="options">When and where to run it; <see langword="null"/> means now, with the defaults.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="KindNotRegisteredException">No kind was registered for <typeparamref name="TArgs"/>, and it has no
    /// <see cref="JobKindAttribute"/>, or only a task handler runs it, or another instance of this process runs it and this one does not
    /// register it; nothing was stored.</exception>
    /// <exception cref="ArgumentException">The transaction is not open, is not of the store's type or is on another database; or, on
    /// PostgreSQL, an earlier statement in it failed and it was not rolled back to a savepoint; or the arguments or an option can't be
    /// stored. Nothing was stored.</exception>
    /// <exception cref="InvalidOperationException">On PostgreSQL: another command runs on the transaction's connection. Nothing was
    /// stored.</exception>
    /// <exception cref="NotSupportedException">A value of <typeparamref name="TArgs"/> would not survive a round trip through JSON. Nothing
    /// was stored.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write. Roll back and retry.</exception>
    ValueTask<EnqueueResult> EnqueueAsync<TArgs>(
        TArgs args, DbTransaction transaction, EnqueueOptions? options = null, CancellationToken cancellationToken = default)
        where TArgs : notnull;

    /// <summary>Stores many entries of any kinds atomically, in one transaction.</summary>
    /// <param name="requests">The entries to store. The results have the same order.</param>
    /// <param name="transaction">The caller's transaction, or <see langword="null"/> to use a new one.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <exception cref="KindNotRegisteredException">No kind is registered for one of the types, and it has no
    /// <see cref="JobKindAttribute"/>, or only a task handler runs it, or another instance of this process runs it and this one does not
    /// register it. Nothing was stored.</exception>
    /// <exception cref="ArgumentException">One of the entries can't be stored; or the transaction is not open, is not of the store's type
    /// or is on another database; or, on PostgreSQL, an earlier statement in it failed and it was not rolled back to a savepoint; or, on
    /// SQLite without a transaction of the caller, there are more than 100,000 entries or 64 MiB of arguments and metadata. Nothing was
    /// stored.</exception>
    /// <exception cref="NotSupportedException">A value of one of the types would not survive a round trip through JSON. Nothing was
    /// stored.</exception>
    /// <exception cref="InvalidOperationException">Without <paramref name="transaction"/>: the call was made inside a
    /// <c>TransactionScope</c>, or on SQLite while a transaction is open that was passed to an earlier call. Nothing was stored. With one,
    /// on PostgreSQL: another command runs on its connection. Roll it back, because a part of the entries may be in it.</exception>
    /// <exception cref="StoreUnavailableException">The database did not confirm the write.</exception>
    ValueTask<IReadOnlyList<EnqueueResult>> EnqueueManyAsync(
        IEnumerable<EnqueueRequest> requests, DbTransaction? transaction = null, CancellationToken cancellationToken = default);

    /// <summary>Finds one entry in any state. Returns <see langword="null"/> if it does not exist or retention has removed it.</summary>
    ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Lists one page of entries, newest first.</summary>
    /// <remarks>A page ends when it is full or when 100,000 entries were examined. It may then have fewer entries than
    /// <see cref="EntryFilter.Limit"/>, even none, although there are further pages: read on until <see cref="EntryPage.NextBefore"/> is
    /// <see langword="null"/>.</remarks>
    /// <exception cref="ArgumentOutOfRangeException"><see cref="EntryFilter.Limit"/> is not 1 to 1,000.</exception>
    ValueTask<EntryPage> ListAsync(EntryFilter? filter = null, CancellationToken cancellationToken = default);

    /// <summary>Requests cancellation of an entry. A waiting entry ends at once. For a running entry, the worker's token is cancelled on
    /// the node that runs it.</summary>
    /// <returns><see langword="true"/> if the request was stored; <see langword="false"/> if the entry does not exist or has already
    /// ended.</returns>
    ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken = default);

    /// <summary>Puts a failed or cancelled entry back into its queue, with its attempts reset.</summary>
    /// <param name="entryId">The id of the entry.</param>
    /// <param name="from">Whether the entry resumes after its last finished step or starts from the beginning.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    /// <returns><see cref="OperatorResult.Done"/> if the entry waits again; otherwise the reason why it does not.</returns>
    ValueTask<OperatorResult> RetryAsync(long entryId, RetryFrom from = RetryFrom.LastStep, CancellationToken cancellationToken = default);

    /// <summary>Erases the application's data in entries and in the tasks they run: arguments, metadata, unique key, results, errors, steps
    /// and checkpoint.</summary>
    /// <remarks>
    /// <para>What remains is an ended entry with its id, kind, queue, times, state and counts, and the reason
    /// <see cref="EndReasons.Erased"/>. A waiting entry is cancelled. A running entry is cancelled at once: its node loses the claim and
    /// cancels the handler's token, and no later write of the handler is stored. Effects of the handler outside the store are not
    /// undone.</para>
    /// <para>The history of ended entries has no index on unique keys or metadata, so selecting by them reads the whole history in batches.
    /// Entries stored during the call are not erased.</para>
    /// </remarks>
    /// <param name="target">The entries to erase.</param>
    /// <param name="cancellationToken">Stops between two entries. Entries already erased stay erased.</param>
    /// <returns>The number of matching entries, all of which are erased. The call is safe to repeat.</returns>
    ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken = default);

    /// <summary>Counts entries by state, with a bounded number of rows: see <see cref="QueueCounts"/>.</summary>
    /// <param name="queue">The queue to count, or <see langword="null"/> for all queues.</param>
    /// <param name="cancellationToken">Cancels the count.</param>
    ValueTask<QueueCounts> CountAsync(string? queue = null, CancellationToken cancellationToken = default);

    /// <summary>Pauses a queue: no node claims entries from it. Running entries continue and entries can still be enqueued. The setting is
    /// stored and survives restarts. A queue that was never used can be paused too.</summary>
    /// <exception cref="ArgumentException">The name is empty or blank, has more than 100 bytes of UTF-8, or has a control character, a
    /// bidirectional formatting character or half of a surrogate pair.</exception>
    ValueTask PauseAsync(string queue, CancellationToken cancellationToken = default);

    /// <summary>Resumes a paused queue.</summary>
    /// <exception cref="ArgumentException">The name is empty or blank, has more than 100 bytes of UTF-8, or has a control character, a
    /// bidirectional formatting character or half of a surrogate pair.</exception>
    ValueTask ResumeAsync(string queue, CancellationToken cancellationToken = default);
}
