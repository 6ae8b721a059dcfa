using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Caches the numbers of kinds and queues.</summary>
/// <remarks>Each call uses a snapshot that never changes. If the database was restored, or a failover lost a registration, a number may
/// belong to another name. Therefore every statement that takes a cached number compares it with its name and does nothing if they do not
/// match; the caller then resolves the name again. Numbers are assigned in a transaction of their own, never in the caller's: a number that
/// is rolled back must not be cached.</remarks>
internal sealed class NameTable(PostgreSqlDatabase database)
{
    // In a round, another process may register other kinds under the same numbers.
    private const int MostRounds = 10;

    private const string SequenceIsUsedUp = "2200H";

    private readonly Lock _gate = new();
    private NameNumbers _known = NameNumbers.Nothing();

    /// <summary>The current snapshot.</summary>
    internal NameNumbers Known => Volatile.Read(ref _known);

    /// <summary>Resolves the names of some entries; unknown names are registered.</summary>
    internal ValueTask<NameNumbers> ResolveAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        var known = Known;
        for (var i = 0; i < entries.Count; i++)
        {
            // Most batches have one kind and one queue.
            if ((i == 0 || !ReferenceEquals(entries[i].Kind, entries[i - 1].Kind)
                || !ReferenceEquals(entries[i].Queue, entries[i - 1].Queue))
                && !(known.HasKind(entries[i].Kind) && known.HasQueue(entries[i].Queue)))
            {
                return LoadAsync(known, entries.Select(entry => entry.Kind), entries.Select(entry => entry.Queue), cancellationToken);
            }
        }

        return ValueTask.FromResult(known);
    }

    /// <summary>Resolves some names; unknown names are registered.</summary>
    internal ValueTask<NameNumbers> ResolveAsync(IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
        => LoadAsync(Known, kinds, queues, cancellationToken);

    /// <summary>Registers names, even if their numbers are cached.</summary>
    internal async ValueTask RegisterAsync(IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        var (kindNames, queueNames) = (Distinct(kinds), Distinct(queues));
        try
        {
            await database.ExecuteAsync(NameSql.Add, [Names(kindNames), Names(queueNames)], cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (exception.SqlState == SequenceIsUsedUp)
        {
            await RegisterUnderFreeNumbersAsync(kindNames, exception, cancellationToken).ConfigureAwait(false);

            // All kinds have their numbers now, so this registers the queues only.
            await database.ExecuteAsync(NameSql.Add, [Names(kindNames), Names(queueNames)], cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Discards the cache after the database rejected a number of <paramref name="refused"/>, unless it was discarded since that
    /// snapshot was taken.</summary>
    internal void Forget(NameNumbers refused)
    {
        lock (_gate)
        {
            if (_known.IsAsOldAs(refused))
            {
                Clear();
            }
        }
    }

    /// <summary>Discards all numbers. Called when the process registers as a node, and before each attempt to prepare the store.</summary>
    internal void Clear()
    {
        lock (_gate)
        {
            Volatile.Write(ref _known, NameNumbers.Nothing());
        }
    }

    private async ValueTask<NameNumbers> LoadAsync(
        NameNumbers known, IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
    {
        string[] newKinds = [.. kinds.Distinct(StringComparer.Ordinal).Where(name => !known.HasKind(name))];
        string[] newQueues = [.. queues.Distinct(StringComparer.Ordinal).Where(name => !known.HasQueue(name))];
        if (newKinds.Length + newQueues.Length == 0)
        {
            return known;
        }

        var (kindNumbers, queueNumbers) = await FindAsync(newKinds, newQueues, cancellationToken).ConfigureAwait(false);
        if (kindNumbers.Count < newKinds.Length || queueNumbers.Count < newQueues.Length)
        {
            await RegisterAsync(newKinds, newQueues, cancellationToken).ConfigureAwait(false);
            (kindNumbers, queueNumbers) = await FindAsync(newKinds, newQueues, cancellationToken).ConfigureAwait(false);
        }

        lock (_gate)
        {
            if (_known.IsAsOldAs(known))
            {
                Volatile.Write(ref _known, _known.With(kindNumbers, queueNumbers));
            }
        }

        return known.With(kindNumbers, queueNumbers);
    }

    private async ValueTask RegisterUnderFreeNumbersAsync(string[] kinds, PostgresException usedUp, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var (wanted, added) = await database.ReadAsync(
                NameSql.AddToFreeNumbers,
                [Names(kinds)],
                static async (reader, token)
                    => await reader.ReadAsync(token).ConfigureAwait(false) ? (reader.GetInt64(0), reader.GetInt64(1)) : default,
                cancellationToken).ConfigureAwait(false);
            if (added == wanted)
            {
                return;
            }
        }

        throw new StoreConfigurationException(
            $"No number is left for the kinds {string.Join(", ", kinds)}: table 'kinds' in schema '{database.SchemaName}' has a row for "
            + "each of its 65,535 numbers. "
            + "Remove the rows of kinds that no entry has, and find out who added them.",
            usedUp);
    }

    private ValueTask<(Dictionary<string, int> Kinds, Dictionary<string, int> Queues)> FindAsync(
        string[] kinds, string[] queues, CancellationToken cancellationToken)
        => database.ReadAsync(
            NameSql.Find,
            [Names(kinds), Names(queues)],
            static async (reader, token) =>
            {
                var (foundKinds, foundQueues) =
                    (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    (reader.GetBoolean(2) ? foundKinds : foundQueues)[reader.GetString(1)] = reader.GetInt32(0);
                }

                return (foundKinds, foundQueues);
            },
            cancellationToken);

    private static NpgsqlParameter Names(IEnumerable<string> names) => Arg.Array(Distinct(names), NpgsqlDbType.Text);

    private static string[] Distinct(IEnumerable<string> names) => names as string[] ?? [.. names.Distinct(StringComparer.Ordinal)];
}
