using System.Collections.Concurrent;
using System.Transactions;
using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>The numbers of kinds and queues. A name keeps its number for ever, so each is asked for once.</summary>
/// <remarks>Numbers are given in a transaction of their own, never in the caller's: a number that rolls back must not be remembered.</remarks>
internal sealed class NameTable(PostgreSqlDatabase database)
{
    private readonly ConcurrentDictionary<string, int> _kinds = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int> _queues = new(StringComparer.Ordinal);

    /// <summary>The kind's number if it is known already; else ask <see cref="LoadKindsAsync"/>.</summary>
    internal bool TryGetKind(string name, out int number) => _kinds.TryGetValue(name, out number);

    /// <summary>The queue's number if it is known already; else ask <see cref="LoadQueuesAsync"/>.</summary>
    internal bool TryGetQueue(string name, out int number) => _queues.TryGetValue(name, out number);

    /// <summary>The numbers of kinds; new ones get one.</summary>
    internal ValueTask<IReadOnlyDictionary<string, int>> LoadKindsAsync(IEnumerable<string> names, CancellationToken cancellationToken)
        => LoadAsync(_kinds, names, NameSql.FindKinds, NameSql.AddKinds, cancellationToken);

    /// <summary>The numbers of queues; new ones get one.</summary>
    internal ValueTask<IReadOnlyDictionary<string, int>> LoadQueuesAsync(IEnumerable<string> names, CancellationToken cancellationToken)
        => LoadAsync(_queues, names, NameSql.FindQueues, NameSql.AddQueues, cancellationToken);

    internal void Clear()
    {
        _kinds.Clear();
        _queues.Clear();
    }

    private async ValueTask<IReadOnlyDictionary<string, int>> LoadAsync(
        ConcurrentDictionary<string, int> known, IEnumerable<string> names, string find, string add, CancellationToken cancellationToken)
    {
        var unknown = names.Distinct(StringComparer.Ordinal).Where(name => !known.ContainsKey(name)).ToArray();
        if (unknown.Length == 0)
        {
            return known;
        }

        // An application's data source would take part in a TransactionScope around the call.
        using var alone = Transaction.Current is null ? null : new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        await FindAsync(known, unknown, find, cancellationToken).ConfigureAwait(false);
        unknown = [.. unknown.Where(name => !known.ContainsKey(name))];
        if (unknown.Length > 0)
        {
            await database.ExecuteAsync(add, [Arg.Array(unknown, NpgsqlDbType.Text)], cancellationToken).ConfigureAwait(false);
            await FindAsync(known, unknown, find, cancellationToken).ConfigureAwait(false);
        }

        return known;
    }

    private ValueTask<int> FindAsync(ConcurrentDictionary<string, int> known, string[] names, string find, CancellationToken cancellationToken)
        => database.ReadAsync(
            find,
            [Arg.Array(names, NpgsqlDbType.Text)],
            async (reader, token) =>
            {
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    known[reader.GetString(1)] = reader.GetInt32(0);
                }

                return known.Count;
            },
            cancellationToken);
}
