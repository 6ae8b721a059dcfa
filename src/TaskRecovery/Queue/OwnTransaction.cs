using System.Data.Common;
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

    // Set by methods that are not async, so that it reaches the caller's flow. Weak, because a flow may outlive the transaction.
    private readonly AsyncLocal<WeakReference<DbTransaction>?> _passed = new();

    /// <summary>Remembers a transaction that the caller passes to the library.</summary>
    public void Passed(DbTransaction transaction)
    {
        if (transaction is not null)
        {
            _passed.Value = new WeakReference<DbTransaction>(transaction);
        }
    }

    /// <summary>Throws if the transaction that was passed last in this flow is still open and blocks the store's own writes.</summary>
    /// <param name="call">The name of the called method.</param>
    /// <param name="remedy">The remedy, for the message.</param>
    /// <exception cref="InvalidOperationException">The call would wait for its own caller.</exception>
    public void Refuse(string call, string remedy = "Call it before the transaction begins or after it ends.")
    {
        if (_passed.Value is { } passed && passed.TryGetTarget(out var transaction)
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
            && _passed.Value is { } passed && passed.TryGetTarget(out var transaction) && IsOpen(transaction);

    // The drivers return the isolation level of an open transaction only.
    private static bool IsOpen(DbTransaction transaction)
    {
        try
        {
            _ = transaction.IsolationLevel;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
