using System.Data.Common;
using System.Runtime.CompilerServices;

namespace TaskRecovery.PostgreSql;

/// <summary>Finds out what became of callers' transactions.</summary>
internal sealed class CommitFollower(PostgreSqlDatabase database)
{
    // The driver may use one object for several transactions, one after the other: the last one counts.
    private readonly ConditionalWeakTable<DbTransaction, StrongBox<ulong>> _ids = [];

    /// <summary>Remembers the id of a transaction.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="id">Its id; 0 if the server has not told it.</param>
    internal void Remember(DbTransaction transaction, ulong id) => _ids.AddOrUpdate(transaction, new StrongBox<ulong>(id));

    /// <inheritdoc cref="Storage.IEntryStore.FollowCommit"/>
    internal Func<CancellationToken, ValueTask<bool?>>? Follow(DbTransaction transaction, long entryId)
        => _ids.TryGetValue(transaction, out var id) && id.Value is > 0 and var known
            ? token => IsCommittedAsync(known, entryId, token)
            : null;

    private ValueTask<bool?> IsCommittedAsync(ulong id, long entryId, CancellationToken cancellationToken)
        => database.ReadOnPrimaryAsync(
            CommitSql.IsCommitted,
            [Arg.Xid8(id), Arg.Int8(entryId)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.IsDBNull(0) ? (bool?)null : reader.GetBoolean(0);
            },
            cancellationToken);
}
