using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Refuses a write that would wait for the caller's own transaction, which in turn waits for the caller, or reports that one has
/// waited for it.</summary>
/// <remarks>The library can't see the application's transactions, but it remembers the last one that was passed to it in the same
/// asynchronous flow (docs/decisions/0030-a-callers-transaction-is-known-if-it-was-passed.md).</remarks>
internal sealed class OwnTransaction(IEntryStore store)
{
    // SQLSTATE lock_not_available.
    private const string LockNotAvailable = "55P03";

    // Set by methods that are not async, so that it reaches the caller's flow.
    private readonly AsyncLocal<PassedTransaction?> _passed = new();

    /// <summary>Remembers a transaction that the caller passes to the library.</summary>
    public void Passed(DbTransaction transaction)
    {
        if (transaction is not null)
        {
            _passed.Value = new PassedTransaction(transaction, ConnectionOf(transaction));
        }
    }

    /// <summary>Throws if the transaction that was passed last in this flow is still open and blocks the store's own writes.</summary>
    /// <param name="call">The name of the called method.</param>
    /// <param name="remedy">The remedy, for the message.</param>
    /// <exception cref="InvalidOperationException">The call would wait for its own caller.</exception>
    public void Refuse(string call, string remedy = "Call it before the transaction begins or after it ends.")
    {
        if (_passed.Value is { } passed && passed.TryGet(out var transaction)
            && store.Traits.BlocksWrites?.Invoke(transaction) == true)
        {
            throw new InvalidOperationException(
                $"{call} was called while a transaction is open that an earlier call here was given: it holds the database's only write "
                + $"lock, so that the call would wait for it, and it for the call. {remedy}");
        }
    }

    /// <summary>Throws if storing an entry would wait for the caller's own transaction.</summary>
    /// <exception cref="InvalidOperationException">The call would wait for its own caller.</exception>
    public void RefuseEnqueue(string call) => Refuse(call, "Pass the transaction to this call too, or call it after the transaction ends.");

    /// <summary>Whether an enqueue has probably waited in vain for the caller's own transaction: for a unique key, while the transaction
    /// that was passed last in this flow is open. It can't be refused before, because that transaction may have another key.</summary>
    public bool HasWaitedForItself(StoreUnavailableException exception)
        => (exception.WaitedForKey || exception.InnerException is DbException { SqlState: LockNotAvailable })
            && _passed.Value?.IsOpen == true;

    // A driver may throw if the transaction has ended.
    private static DbConnection? ConnectionOf(DbTransaction transaction)
    {
        try
        {
            return transaction.Connection;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A transaction and its connection. Weak, because a flow may outlive both.</summary>
    private sealed class PassedTransaction(DbTransaction transaction, DbConnection? connection)
    {
        private readonly WeakReference<DbTransaction> _transaction = new(transaction);
        private readonly WeakReference<DbConnection>? _connection = connection is null ? null : new(connection);

        /// <summary>Whether it is open. The drivers return the isolation level of an open transaction only. But a driver may use the object
        /// again for a later transaction of the same session, which has another connection after it was in the pool.</summary>
        public bool IsOpen
        {
            get
            {
                if (!TryGet(out var remembered))
                {
                    return false;
                }

                try
                {
                    _ = remembered.IsolationLevel;
                    var current = remembered.Connection;
                    return _connection is null
                        ? current is null
                        : _connection.TryGetTarget(out var then) && ReferenceEquals(then, current);
                }
                catch (InvalidOperationException)
                {
                    return false;
                }
            }
        }

        public bool TryGet([NotNullWhen(true)] out DbTransaction? remembered) => _transaction.TryGetTarget(out remembered);
    }
}
