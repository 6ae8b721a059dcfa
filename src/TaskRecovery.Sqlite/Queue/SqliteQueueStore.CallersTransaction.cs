using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Writes in a transaction of the caller.</content>
internal sealed partial class SqliteQueueStore
{
    /// <summary>Works on the caller's own connection, all or nothing: a failure undoes this work only and keeps the rest of the caller's
    /// transaction. A deferred transaction acquires the write lock here; the wait for it occupies no thread.</summary>
    private async ValueTask<T> InCallersTransactionAsync<T>(
        DbTransaction transaction, Func<SqliteSession, T> work, CancellationToken cancellationToken, [CallerMemberName] string call = "")
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var session = _database.Borrow(transaction);
        long? lockedSince = null;
        WriteLockHolder? reported = null;
        while (true)
        {
            SqliteException? error = null;
            try
            {
                // A transaction that has read nothing takes the lock before the work: what the work reads without it would be too old to
                // write once another connection has committed. One that has read tries without it, because work that stores nothing needs
                // no lock. Once the lock was missed, it is taken before the work: an exception for each attempt would cost the processor
                // more than all that is stored. If it is unknown what the transaction has done, it takes the lock too: if it has read,
                // that shows whether its snapshot is too old, which RefuseOldHoldersAsync could not.
                var knowsState = _database.KnowsTransactionStates;
                if ((knowsState && lockedSince is null && session.HasRead) || session.TryTakeWriteLock(knowsState))
                {
                    var result = InSavepoint(session, work);
                    if (reported is not null && lockedSince is { } from)
                    {
                        _database.Logger.WriteLockTaken(_database.Path, TimeProvider.System.GetElapsedTime(from));
                    }

                    return result;
                }
            }
            catch (SqliteException exception) when (session.InTransaction
                && SqliteErrors.IsWorthWaiting(exception.SqliteErrorCode, exception.SqliteExtendedErrorCode))
            {
                error = exception;
            }
            catch (SqliteException exception)
            {
                throw SqliteErrors.Translate(exception, _database.Path);
            }

            var now = TimeProvider.System.GetTimestamp();
            var since = lockedSince ?? now;
            var waited = TimeProvider.System.GetElapsedTime(since, now);
            if (waited >= _database.Options.BusyTimeout)
            {
                throw _database.Writer.HolderOf(_database.Path)
                    .ToException(_database.Path, waited, hasTransaction: true, reported, error);
            }

            if (reported is null && waited > _database.Writer.ReportAfter)
            {
                var holder = _database.Writer.HolderOf(_database.Path);
                reported = holder;
                _database.Logger.WriteLockAwaited(
                    call, 1, waited, _database.Path, holder.ToString(), holder.ToAdvice(hasTransaction: true));
            }

            // Nothing of the work is stored now, so the call may end here. If the caller has ended the transaction meanwhile, the work must
            // not be stored outside it.
            await Task.Delay(SqliteWriter.RetryPause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            lockedSince = SqliteWriter.WithoutStop(since, now, TimeProvider.System.GetTimestamp());
            CallersTransaction.Connection(transaction);
        }
    }

    // A transaction that has read and not written answers from the snapshot of its first read. An entry that held a unique key then may
    // have ended since, and would stand for one that should run. A transaction that writes has the newest snapshot.
    private async ValueTask RefuseOldHoldersAsync(
        DbTransaction transaction, IReadOnlyList<NewEntry> entries, EnqueueResult[] results, CancellationToken cancellationToken)
    {
        if (!results.Any(static result => result.IsDuplicate)
            || CallersTransaction.HoldsWriteLock(CallersTransaction.Connection(transaction).Handle!))
        {
            return;
        }

        var old = await _database.ReadAsync(session => FindOldHolder(session, entries, results), cancellationToken).ConfigureAwait(false);
        if (old is { } index)
        {
            throw new StoreUnavailableException(
                $"What the transaction has read of '{_database.Path}' is too old: entry {results[index].Id} had the unique key "
                + $"'{entries[index].UniqueKey}' then, and has not now. Nothing was stored. Begin transactions that will write as "
                + "immediate ones (not deferred).");
        }
    }

    private static int? FindOldHolder(SqliteSession session, IReadOnlyList<NewEntry> entries, EnqueueResult[] results)
    {
        for (var index = 0; index < results.Length; index++)
        {
            if (results[index].IsDuplicate
                && (SqliteNames.FindKind(session, entries[index].Kind) is not { } kind
                    || session.Get(EntrySql.FindKeyHolder).Bind(1, kind).Bind(2, entries[index].UniqueKey!).Scalar() != results[index].Id))
            {
                return index;
            }
        }

        return null;
    }

    private static T InSavepoint<T>(SqliteSession session, Func<SqliteSession, T> work)
    {
        session.Execute("savepoint taskrecovery");
        try
        {
            var result = work(session);
            session.Execute("release taskrecovery");
            return result;
        }
        catch
        {
            // The failure may have rolled back the whole transaction. Then the savepoint is gone too, but that is not the error to report.
            session.Reset();
            if (session.InTransaction)
            {
                session.Execute("rollback to taskrecovery; release taskrecovery");
            }

            throw;
        }
    }
}
