namespace TaskRecovery.PostgreSql;

/// <summary>What identifies the entries that were stored in a caller's transaction, beside their ids.</summary>
/// <param name="Transaction">The id of the transaction.</param>
/// <param name="First">The earliest time at which one of them was created.</param>
/// <param name="Last">The latest time. The entries of one statement have one time.</param>
internal sealed record StoredInTransaction(ulong Transaction, DateTimeOffset First, DateTimeOffset Last)
{
    /// <summary>Adds what was stored later; in another transaction, only that counts.</summary>
    internal StoredInTransaction With(StoredInTransaction later) => later.Transaction != Transaction
        ? later
        : new StoredInTransaction(Transaction, later.First < First ? later.First : First, later.Last > Last ? later.Last : Last);
}
