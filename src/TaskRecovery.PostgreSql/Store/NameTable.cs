using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The numbers of kinds and queues, remembered for as long as the database says the same.</summary>
/// <remarks>Each call gets a snapshot that nothing can empty under it. A database that was restored, or that lost a registration in a failover, may give a number to another name:
/// every statement that takes a remembered number compares it with its name, does nothing if they don't belong together, and the name is resolved again.
/// Numbers are given in a transaction of their own, never in the caller's: a number that rolls back must not be remembered.</remarks>
internal sealed class NameTable(PostgreSqlDatabase database)
{
    private readonly Lock _gate = new();
    private NameNumbers _known = NameNumbers.Nothing();

    /// <summary>What is known now.</summary>
    internal NameNumbers Known => Volatile.Read(ref _known);

    /// <summary>The numbers for some entries; new names get one.</summary>
    internal ValueTask<NameNumbers> ResolveAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        var known = Known;
        for (var i = 0; i < entries.Count; i++)
        {
            // Most batches are of one kind for one queue.
            if ((i == 0 || !ReferenceEquals(entries[i].Kind, entries[i - 1].Kind) || !ReferenceEquals(entries[i].Queue, entries[i - 1].Queue))
                && !(known.HasKind(entries[i].Kind) && known.HasQueue(entries[i].Queue)))
            {
                return LoadAsync(known, entries.Select(entry => entry.Kind), entries.Select(entry => entry.Queue), cancellationToken);
            }
        }

        return ValueTask.FromResult(known);
    }

    /// <summary>The numbers for some names; new ones get one.</summary>
    internal ValueTask<NameNumbers> ResolveAsync(IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
        => LoadAsync(Known, kinds, queues, cancellationToken);

    /// <summary>Gives names a number, whatever is remembered of them.</summary>
    internal ValueTask<int> RegisterAsync(IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
        => database.ExecuteAsync(NameSql.Add, [Names(kinds), Names(queues)], cancellationToken);

    /// <summary>The database has refused a number of this snapshot: nothing that was read with it or before is used again.</summary>
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

    /// <summary>Forgets all numbers. A new life of the node begins with it, and so does a new attempt to prepare the store.</summary>
    internal void Clear()
    {
        lock (_gate)
        {
            Volatile.Write(ref _known, NameNumbers.Nothing());
        }
    }

    private async ValueTask<NameNumbers> LoadAsync(NameNumbers known, IEnumerable<string> kinds, IEnumerable<string> queues, CancellationToken cancellationToken)
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

    private ValueTask<(Dictionary<string, int> Kinds, Dictionary<string, int> Queues)> FindAsync(string[] kinds, string[] queues, CancellationToken cancellationToken)
        => database.ReadAsync(
            NameSql.Find,
            [Names(kinds), Names(queues)],
            static async (reader, token) =>
            {
                var (foundKinds, foundQueues) = (new Dictionary<string, int>(StringComparer.Ordinal), new Dictionary<string, int>(StringComparer.Ordinal));
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    (reader.GetBoolean(2) ? foundKinds : foundQueues)[reader.GetString(1)] = reader.GetInt32(0);
                }

                return (foundKinds, foundQueues);
            },
            cancellationToken);

    private static Npgsql.NpgsqlParameter Names(IEnumerable<string> names) => Arg.Array(names as string[] ?? [.. names.Distinct(StringComparer.Ordinal)], NpgsqlDbType.Text);
}
