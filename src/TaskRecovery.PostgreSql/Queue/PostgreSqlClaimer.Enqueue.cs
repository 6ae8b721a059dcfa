using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Stores entries as already claimed.</content>
internal sealed partial class PostgreSqlClaimer
{
    public async ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        if (!EnqueueBatch.FitsOneStatement(entries))
        {
            return null;
        }

        await LoadNamesAsync(cancellationToken).ConfigureAwait(false);
        var names = await store.Names.ResolveAsync(entries, cancellationToken).ConfigureAwait(false);
        if (!ReferenceEquals(store.Paused, PausedKinds.None) && entries.Any(entry => store.Paused.Contains(names.Kind(entry.Kind))))
        {
            return null;
        }

        FaultPoints.Reach(FaultPoints.ClaimBeforeCommit);
        ClaimedEnqueue? stored;
        try
        {
            NpgsqlParameter[] place =
                [Arg.Array(_kinds!, NpgsqlDbType.Smallint), .. LevelArgs(_firstOrdinary, entries.Max(static entry => entry.Priority))];
            stored = await database.ReadAsync(
                entries.Count == 1 ? EntrySql.EnqueueOneClaimed : EntrySql.EnqueueClaimed,
                entries.Count == 1
                    ? [.. ToArgs(entries[0], names), Arg.Uuid(nodeId), .. place]
                    : [.. EnqueueBatch.ToArgs(entries, names), Arg.Uuid(nodeId), Arg.Int4(_queue), .. place],
                (reader, token) => ReadStoredAsync(entries, reader, token),
                cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (PostgreSqlErrors.IsConflict(exception.InnerException!))
        {
            // Nothing was stored: the caller falls back to an ordinary enqueue, which retries.
            return null;
        }

        if (stored is null)
        {
            // A number no longer belongs to its name, and nothing was stored: the ordinary enqueue resolves the names again.
            store.Names.Forget(names);
            return null;
        }

        if (stored.Batch.Fence == 0)
        {
            store.Hints.WorkForOthers(queue);
            return stored;
        }

        FaultPoints.Reach(FaultPoints.ClaimCommitted);
        store.KnownClaims.Add(stored.Batch.Fence, Array.ConvertAll(stored.Results, static result => result.Id));
        return stored;
    }

    private static NpgsqlParameter[] ToArgs(NewEntry entry, NameNumbers names)
        =>
        [
            Arg.Int4(names.Queue(entry.Queue)), Arg.Int2(names.Kind(entry.Kind)), Arg.Int2(entry.Priority), Arg.Int2(entry.MaxAttempts),
            Arg.Utf8(entry.Args), Arg.Interval(entry.Timeout), Arg.Text(entry.Metadata), Arg.Text(entry.TraceParent),
            Arg.Text(entry.Queue), Arg.Text(entry.Kind),
        ];

    private static async ValueTask<ClaimedEnqueue?> ReadStoredAsync(
        IReadOnlyList<NewEntry> entries, NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (await reader.IsDBNullAsync(0, cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        var results = PostgreSqlQueueStore.ReadNew(reader);
        if (await reader.IsDBNullAsync(3, cancellationToken).ConfigureAwait(false))
        {
            return new ClaimedEnqueue(
                results, ClaimBatch.Empty with { NodeIsDead = await reader.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false) });
        }

        var createdAt = new DateTimeOffset(reader.GetDateTime(1));
        var claimed = new ClaimedEntry[results.Length];
        for (var i = 0; i < claimed.Length; i++)
        {
            claimed[i] = ClaimedEntry.First(entries[i], results[i].Id, createdAt);
        }

        return new ClaimedEnqueue(results, new ClaimBatch(NodeIsDead: false, reader.GetInt64(3), claimed, NextDue: null));
    }
}
