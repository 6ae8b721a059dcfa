using System.Data.Common;
using System.Runtime.CompilerServices;

namespace TaskRecovery.PostgreSql;

/// <summary>Finds out what became of callers' transactions.</summary>
internal sealed class CommitFollower(PostgreSqlDatabase database)
{
    // The driver may use one object for several transactions, one after the other: the last one counts.
    private readonly ConditionalWeakTable<DbTransaction, StoredInTransaction> _stored = [];

    /// <summary>Remembers what a call has stored in a transaction.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="stored">What was stored; <see langword="null"/> if nothing was.</param>
    internal void Remember(DbTransaction transaction, StoredInTransaction? stored)
    {
        if (stored is null)
        {
            _stored.Remove(transaction);
            return;
        }

        _stored.AddOrUpdate(transaction, _stored.TryGetValue(transaction, out var before) ? before.With(stored) : stored);
    }

    /// <inheritdoc cref="Storage.IEntryStore.FollowCommit"/>
    internal Func<CancellationToken, ValueTask<bool?>>? Follow(DbTransaction transaction, long entryId)
        => _stored.TryGetValue(transaction, out var stored) ? token => IsCommittedAsync(stored, entryId, token) : null;

    private ValueTask<bool?> IsCommittedAsync(StoredInTransaction stored, long entryId, CancellationToken cancellationToken)
        => database.ReadOnPrimaryAsync(
            CommitSql.IsCommitted,
            [Arg.Xid8(stored.Transaction), Arg.Int8(entryId), Arg.Time(stored.First), Arg.Time(stored.Last)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.IsDBNull(0) ? (bool?)null : reader.GetBoolean(0);
            },
            cancellationToken);
}
