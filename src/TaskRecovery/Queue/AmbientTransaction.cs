using System.Transactions;

namespace TaskRecovery.Queue;

/// <summary>Rejects calls inside a <see cref="TransactionScope"/>. The library's writes do not enlist in an ambient transaction, so a write
/// that the caller would expect to be part of it is rejected.</summary>
internal static class AmbientTransaction
{
    /// <summary>Throws if there is an ambient transaction.</summary>
    /// <param name="call">The name of the called method.</param>
    /// <param name="remedy">The remedy, for the message.</param>
    internal static void Refuse(string call, string remedy)
    {
        if (Transaction.Current is not null)
        {
            throw new InvalidOperationException(
                $"{call} was called inside a TransactionScope, and the library's own statements never take part in one: "
                + $"it would stay stored although the scope rolls back. {remedy}");
        }
    }

    /// <summary>Throws if there is an ambient transaction. For methods that store an entry.</summary>
    internal static void RefuseEnqueue(string call)
        => Refuse(call, "Pass a DbTransaction of the store's database, or enqueue after the scope, "
            + "or in a scope with TransactionScopeOption.Suppress.");
}
