using Npgsql;
using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>Cancels and retries entries in the caller's transaction: one entry for an operator, or those of a step.</summary>
internal sealed class EntryChanges(PostgreSqlDatabase database)
{
    /// <summary>Requests the cancellation of entries. Waiting ones end at once.</summary>
    /// <remarks>The request is stored first, so that an entry that is claimed or put back in the meantime has it.</remarks>
    public async ValueTask<IReadOnlyList<EntryChange>> CancelAsync(
        NpgsqlConnection connection, long[] ids, string reason, CancellationToken cancellationToken)
    {
        var asked = await database.ListAsync(
            connection, OperatorSql.RequestCancel, [Ids(ids)], static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false);
        var ended = asked.Count == 0
            ? []
            : await database.ListAsync(
                connection,
                OperatorSql.CancelWaitingPlaces,
                [Ids(asked), Arg.Text(reason)],
                static row => new EntryChange(row.GetInt64(0), OperatorResult.Done)
                {
                    Fence = row.GetInt64(1),
                    RunAt = row.GetFieldValue<DateTime>(2),
                    Level = row.GetInt16(3),
                    Attempt = row.GetInt16(4),
                    Crashes = row.GetInt16(5),
                },
                cancellationToken).ConfigureAwait(false);
        var waited = ended.ToDictionary(static change => change.Entry);
        var notEnded = asked.ToHashSet();
        var exist = notEnded.Count == ids.Length
            ? []
            : (await database.ListAsync(
                connection, OperatorSql.WhyNotRetried, [Ids(ids)],
                static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)).ToHashSet();
        return [.. ids.Select(id => waited.TryGetValue(id, out var change) ? change
            : notEnded.Contains(id) ? new EntryChange(id, OperatorResult.Done) { IsRunning = true }
            : new EntryChange(id, exist.Contains(id) ? OperatorResult.AlreadyEnded : OperatorResult.NotFound))];
    }

    /// <summary>Puts entries that failed or were cancelled back.</summary>
    /// <param name="connection">The connection with the transaction.</param>
    /// <param name="ids">The entries.</param>
    /// <param name="options">When they run, and where they start.</param>
    /// <param name="queues">Gets the queues that have work.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async ValueTask<IReadOnlyList<EntryChange>> RetryAsync(
        NpgsqlConnection connection, long[] ids, RetryOptions options, ISet<string> queues, CancellationToken cancellationToken)
    {
        var done = await database.ListAsync(
            connection,
            OperatorSql.Retry,
            [Ids(ids), Arg.Bool(options.From == RetryFrom.Start), Arg.Time(options.RunAt)],
            row =>
            {
                queues.Add(row.GetString(1));
                return new EntryChange(row.GetInt64(0), OperatorResult.Done) { Fence = row.GetInt64(2) };
            },
            cancellationToken).ConfigureAwait(false);
        return await ExplainAsync(connection, ids, done, OperatorResult.NotEnded, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds why the entries that were not changed were not.</summary>
    public async ValueTask<IReadOnlyList<EntryChange>> ExplainAsync(
        NpgsqlConnection connection, long[] ids, List<EntryChange> done, OperatorResult unlessEnded, CancellationToken cancellationToken)
    {
        var changed = done.ToDictionary(static change => change.Entry);
        if (changed.Count == ids.Length)
        {
            return done;
        }

        long[] others = [.. ids.Where(id => !changed.ContainsKey(id))];
        var why = (await database.ListAsync(
            connection, OperatorSql.WhyNotRetried, [Ids(others)],
            static row => (Id: row.GetInt64(0), Result: (OperatorResult)row.GetInt32(1)), cancellationToken).ConfigureAwait(false))
            .ToDictionary(static row => row.Id, static row => row.Result);
        return [.. done, .. others.Select(id => new EntryChange(
            id,
            !why.TryGetValue(id, out var result) ? OperatorResult.NotFound : result == OperatorResult.NotEnded ? unlessEnded : result))];
    }

    private static NpgsqlParameter Ids(IReadOnlyCollection<long> ids) => Arg.Array([.. ids], NpgsqlDbType.Bigint);
}
