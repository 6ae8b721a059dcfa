using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Entries that are stored as claimed.</content>
internal sealed partial class PostgreSqlClaimer
{
    private const int CrashedOnce = -1;

    public async ValueTask<ClaimedEnqueue?> EnqueueAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        await store.LoadNamesAsync(entries, cancellationToken).ConfigureAwait(false);
        store.Names.TryGetQueue(queue, out var number);
        FaultPoints.Reach(FaultPoints.ClaimBeforeCommit);

        // What has come back from two crashes or more waits for its turn, not for a place in line.
        var stored = await database.ReadAsync(
            EntrySql.EnqueueClaimed,
            [.. EnqueueBatch.ToArgs(entries, store.Names), Arg.Uuid(nodeId), Arg.Int4(number), .. LevelArgs(CrashedOnce, entries.Max(static entry => entry.Priority))],
            (reader, token) => ReadStoredAsync(entries, reader, token),
            cancellationToken).ConfigureAwait(false);
        if (stored.Batch.Fence == 0)
        {
            store.Hints.WorkForOthers(queue);
            return stored;
        }

        FaultPoints.Reach(FaultPoints.ClaimCommitted);
        store.Handed.Add(stored.Batch.Fence, Array.ConvertAll(stored.Results, static result => result.Id));
        return stored;
    }

    private static async ValueTask<ClaimedEnqueue> ReadStoredAsync(IReadOnlyList<NewEntry> entries, NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        var results = Array.ConvertAll(reader.GetFieldValue<long[]>(0), static id => new EnqueueResult(id, IsDuplicate: false));
        if (await reader.IsDBNullAsync(3, cancellationToken).ConfigureAwait(false))
        {
            return new ClaimedEnqueue(results, ClaimBatch.Empty with { NodeIsDead = await reader.IsDBNullAsync(2, cancellationToken).ConfigureAwait(false) });
        }

        var createdAt = new DateTimeOffset(reader.GetDateTime(1));
        var claimed = new ClaimedEntry[results.Length];
        for (var i = 0; i < claimed.Length; i++)
        {
            var entry = entries[i];
            claimed[i] = new ClaimedEntry
            {
                Id = results[i].Id,
                Kind = entry.Kind,
                Priority = entry.Priority,
                Args = entry.Args,
                Attempt = 1,
                MaxAttempts = entry.MaxAttempts,
                Crashes = 0,
                CreatedAt = createdAt,
                Waited = TimeSpan.Zero,
                Timeout = entry.Timeout,
                Metadata = entry.Metadata,
                TraceParent = entry.TraceParent,
            };
        }

        return new ClaimedEnqueue(results, new ClaimBatch(NodeIsDead: false, reader.GetInt64(3), claimed, NextDue: null));
    }
}
