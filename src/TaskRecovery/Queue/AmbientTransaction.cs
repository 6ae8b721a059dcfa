using System.Transactions;

namespace TaskRecovery.Queue;

/// <summary>The rule about a <see cref="TransactionScope"/> around a call: nothing that the library stores takes part in it, so what a caller would expect to take part is refused.</summary>
internal static class AmbientTransaction
{
    /// <summary>Throws inside an ambient transaction.</summary>
    /// <param name="call">What was called.</param>
    /// <param name="remedy">What to do instead.</param>
    internal static void Refuse(string call, string remedy)
    {
        if (Transaction.Current is not null)
        {
            throw new InvalidOperationException(
                $"{call} was called inside a TransactionScope, and the library's own statements never take part in one: it would stay stored although the scope rolls back. {remedy}");
        }
    }

    /// <summary>Throws inside an ambient transaction, for a call that stores an entry.</summary>
    internal static void RefuseEnqueue(string call)
        => Refuse(call, "Pass a DbTransaction of the store's database, or enqueue after the scope, or in a scope with TransactionScopeOption.Suppress.");
}
