using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Ends entries that have not ended yet, and blanks the application data stored in them.</summary>
internal sealed class Eraser(PostgreSqlDatabase database, PostgreSqlQueueStore store, AuditInfo audit)
{
    /// <summary>The number of entries that one statement scans when it searches by key or metadata; a scan takes a fraction of a
    /// second.</summary>
    private const long Chunk = 50_000;

    // Between two statements an entry can be claimed, released or retried. Each of these costs one round.
    private const int MostRounds = 100;

    internal async ValueTask<int> EraseAsync(EraseTarget target, CancellationToken cancellationToken)
    {
        if (target.EntryId is { } id)
        {
            return await EraseOneAsync(id, cancellationToken).ConfigureAwait(false) ? 1 : 0;
        }

        var last = await database.ReadOnPrimaryAsync(
            EraseSql.Last,
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.GetInt64(0);
            },
            cancellationToken).ConfigureAwait(false);
        var erased = 0;
        for (long after = 0; after < last; after += Chunk)
        {
            foreach (var found in await FindAsync(target, after, Math.Min(after + Chunk, last), cancellationToken).ConfigureAwait(false))
            {
                cancellationToken.ThrowIfCancellationRequested();
                erased += await EraseOneAsync(found, cancellationToken).ConfigureAwait(false) ? 1 : 0;
            }
        }

        return erased;
    }

    /// <summary>The statements that blank an entry if it has ended, for one transaction.</summary>
    internal static Statement[] Blanking(long entry) =>
    [
        new(EraseSql.LockEnd, Arg.Int8(entry)), new(EraseSql.LockEntry, Arg.Int8(entry)),
        new(EraseSql.TakeFromClaims, Arg.Int8(entry)), new(EraseSql.Blank, Arg.Int8(entry)),
    ];

    private ValueTask<List<long>> FindAsync(EraseTarget target, long after, long upTo, CancellationToken cancellationToken)
    {
        var (statement, args) = target.Metadata is { } pair
            ? (EraseSql.FindByMetadata, new[] { Arg.Text(StoredMetadata.Quoted(pair.Value)) })
            : (EraseSql.FindByKey, [Arg.Text(target.UniqueKey), Arg.Text(target.Kind)]);
        return database.ReadOnPrimaryAsync(
            statement,
            [Arg.Int8(after), Arg.Int8(upTo), .. args],
            async (reader, token) =>
            {
                var found = new List<long>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    if (target.Metadata is not { } asked || StoredMetadata.Has(reader.StringOrNull(1), asked))
                    {
                        found.Add(reader.GetInt64(0));
                    }
                }

                return found;
            },
            cancellationToken);
    }

    private async ValueTask<bool> EraseOneAsync(long entry, CancellationToken cancellationToken)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            var (exists, isErased) = await BlankAsync(entry, cancellationToken).ConfigureAwait(false);
            if (isErased || !exists)
            {
                return isErased;
            }

            // The request stays until retention removes it after the claim, so that the node of a running entry finds it. A waiting entry
            // ends here.
            if (await store.CancelAsync([entry], EndReasons.Erased, cancellationToken).ConfigureAwait(false))
            {
                // The start of the run may be under way, as for an outcome whose start was not answered.
                await database.ReadLastAsync(
                    [
                        new Statement(OutcomeSql.LockJobs, Arg.Array([entry], NpgsqlDbType.Bigint)),
                        new Statement(EraseSql.EndRunning, Arg.Int8(entry)),
                    ],
                    static (_, _) => ValueTask.FromResult(true), cancellationToken).ConfigureAwait(false);
            }
        }

        throw new StoreUnavailableException(
            $"Entry {entry} changed its place {MostRounds} times while it was being erased. Erase it again.");
    }

    private ValueTask<(bool Exists, bool IsErased)> BlankAsync(long entry, CancellationToken cancellationToken)
        => database.InTransactionAsync(
            async (connection, token) =>
            {
                // Each statement has a snapshot of its own: the last one sees what the locks have waited for.
                var (exists, isErased) = await database.ReadLastAsync(
                    connection,
                    Blanking(entry),
                    static async (reader, stop) =>
                    {
                        await reader.ReadAsync(stop).ConfigureAwait(false);
                        return (reader.GetBoolean(0), reader.GetBoolean(1));
                    },
                    commits: false,
                    token).ConfigureAwait(false);
                if (isErased)
                {
                    await database.AddEventAsync(
                        connection, new NewEvent(QueueEventKind.EntryErased, audit) { EntryId = entry }, token).ConfigureAwait(false);
                }

                return (exists, isErased);
            },
            cancellationToken);
}
