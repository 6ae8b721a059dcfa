using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Storing entries.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // In one round trip.
    private const int MaxEntries = 10_000;
    private const int MaxTries = 20;

    // An entry that is due later than this is found by the next poll in good time.
    private static readonly TimeSpan WorthAHint = TimeSpan.FromSeconds(2);

    public async ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        if (entries.Count == 0)
        {
            return [];
        }

        await LoadNamesAsync(entries, cancellationToken).ConfigureAwait(false);
        return transaction is null
            ? await EnqueueNowAsync(entries, cancellationToken).ConfigureAwait(false)
            : await EnqueueInAsync(entries, Own(transaction), cancellationToken).ConfigureAwait(false);
    }

    private NpgsqlConnection Own(DbTransaction transaction)
    {
        if (transaction is not NpgsqlTransaction { Connection: { } connection })
        {
            throw new ArgumentException($"The transaction is not an open NpgsqlTransaction but {transaction.GetType()}. Pass one of the store's own kind.", nameof(transaction));
        }

        // Names of servers are no proof, as one has many; but kinds and queues have other numbers in another database.
        return _database.DatabaseName is not { } own || string.Equals(connection.Database, own, StringComparison.Ordinal)
            ? connection
            : throw new ArgumentException($"The transaction is one of the database '{connection.Database}', and the store is in '{own}'. Pass a transaction of the store's database.", nameof(transaction));
    }

    private async ValueTask<EnqueueResult[]> EnqueueNowAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                // One statement is a transaction by itself; a key may need a second one, and then it is all or none.
                var results = entries.Count <= MaxEntries && !entries.Any(entry => entry.UniqueKey is not null)
                    ? await _database.ReadAsync(EntrySql.Enqueue, EnqueueBatch.ToArgs(entries, Names), ReadIdsAsync, cancellationToken).ConfigureAwait(false)
                    : await _database.InTransactionAsync((connection, token) => StoreAsync(entries, connection, token), cancellationToken).ConfigureAwait(false);
                foreach (var queue in QueuesWorthAHint(entries))
                {
                    Hints.WorkForOthers(queue);
                }

                return results;
            }
            catch (StoreUnavailableException exception) when (tries < MaxTries && PostgreSqlErrors.IsConflict(exception.InnerException!))
            {
                // A deadlock with another caller's keys: nothing of this was stored.
            }
        }
    }

    private async ValueTask<EnqueueResult[]> EnqueueInAsync(IReadOnlyList<NewEntry> entries, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            var results = await StoreAsync(entries, connection, cancellationToken).ConfigureAwait(false);
            var words = QueuesWorthAHint(entries).Select(HintText.Work).ToArray();
            if (_database.Options.UseNotifications && words.Length > 0)
            {
                await _database.ExecuteAsync(connection, HintSql.Send, [Arg.Text(_database.Channel), Arg.Array(words, NpgsqlDbType.Text)], cancellationToken).ConfigureAwait(false);
            }

            return results;
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }

    private async ValueTask<EnqueueResult[]> StoreAsync(IReadOnlyList<NewEntry> entries, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var results = new EnqueueResult[entries.Count];
        for (var start = 0; start < entries.Count; start += MaxEntries)
        {
            var count = Math.Min(MaxEntries, entries.Count - start);
            await StoreChunkAsync([.. Enumerable.Range(start, count)], entries, results, connection, cancellationToken).ConfigureAwait(false);
        }

        return results;
    }

    private async ValueTask StoreChunkAsync(int[] places, IReadOnlyList<NewEntry> entries, EnqueueResult[] results, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        for (var tries = 0; places.Length > 0; tries++)
        {
            if (tries == MaxTries)
            {
                throw new StoreUnavailableException($"Unique key '{entries[places[0]].UniqueKey}' changed hands {MaxTries} times while it was asked for. Nothing was stored; try again.");
            }

            NewEntry[] chunk = [.. places.Select(place => entries[place])];
            var hasKeys = chunk.Any(entry => entry.UniqueKey is not null);
            var found = await _database.ReadAsync(
                connection,
                hasKeys ? EntrySql.EnqueueUnique : EntrySql.Enqueue,
                EnqueueBatch.ToArgs(chunk, Names),
                (reader, token) => hasKeys ? ReadResultsAsync(reader, chunk.Length, token) : ReadIdsAsync(reader, token),
                cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < found.Length; i++)
            {
                results[places[i]] = found[i];
            }

            places = [.. places.Where((_, i) => found[i].Id == 0)];
        }
    }

    private static async ValueTask<EnqueueResult[]> ReadIdsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return ReadNew(reader);
    }

    /// <summary>The ids of entries none of which is a duplicate: the first column, as one array.</summary>
    internal static EnqueueResult[] ReadNew(NpgsqlDataReader reader)
        => Array.ConvertAll(reader.GetFieldValue<long[]>(0), static id => new EnqueueResult(id, IsDuplicate: false));

    private static async ValueTask<EnqueueResult[]> ReadResultsAsync(NpgsqlDataReader reader, int count, CancellationToken cancellationToken)
    {
        var results = new EnqueueResult[count];
        for (var i = 0; await reader.ReadAsync(cancellationToken).ConfigureAwait(false); i++)
        {
            results[i] = new EnqueueResult(reader.IsDBNull(0) ? 0 : reader.GetInt64(0), reader.GetBoolean(1));
        }

        return results;
    }

    internal async ValueTask LoadNamesAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        var (kinds, queues) = (false, false);
        for (var i = 0; i < entries.Count; i++)
        {
            kinds |= (i == 0 || !ReferenceEquals(entries[i].Kind, entries[i - 1].Kind)) && !Names.TryGetKind(entries[i].Kind, out _);
            queues |= (i == 0 || !ReferenceEquals(entries[i].Queue, entries[i - 1].Queue)) && !Names.TryGetQueue(entries[i].Queue, out _);
        }

        if (kinds)
        {
            await Names.LoadKindsAsync(entries.Select(entry => entry.Kind), cancellationToken).ConfigureAwait(false);
        }

        if (queues)
        {
            await Names.LoadQueuesAsync(entries.Select(entry => entry.Queue), cancellationToken).ConfigureAwait(false);
        }
    }

    // Which clock is compared does not matter here: a hint too many or too few costs a poll.
    private HashSet<string> QueuesWorthAHint(IReadOnlyList<NewEntry> entries)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var limit = _time.GetUtcNow() + WorthAHint;
        string? last = null;
        foreach (var entry in entries)
        {
            if (!ReferenceEquals(entry.Queue, last) && (entry.RunAt is null || entry.RunAt <= limit) && (entry.RunAfter is null || entry.RunAfter <= WorthAHint))
            {
                queues.Add(last = entry.Queue);
            }
        }

        return queues;
    }
}
