using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Cancels and retries entries in the caller's transaction: one entry for an operator, or those of a step.</summary>
internal sealed class EntryChanges(PostgreSqlDatabase database)
{
    /// <summary>Locks entries against being put back, cancelled or taken back by another transaction.</summary>
    public ValueTask LockAsync(NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken)
        => SendAsync(connection, OperatorSql.LockEntries, ids, cancellationToken);

    /// <summary>Requests the cancellation of entries. Waiting ones end at once.</summary>
    /// <remarks>The request is stored first, so that an entry that is claimed or put back in the meantime has it.</remarks>
    public async ValueTask<IReadOnlyList<EntryChange>> CancelAsync(
        NpgsqlConnection connection, long[] ids, string reason, CancellationToken cancellationToken)
    {
        await LockAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        var asked = await RequestAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        var ended = asked.Count == 0
            ? []
            : await EndWaitingAsync(connection, asked.Keys, reason, cancellationToken).ConfigureAwait(false);
        foreach (var change in ended)
        {
            asked.Remove(change.Entry);
        }

        return await ExplainAsync(
            connection, ids, [.. ended, .. asked.Values], static _ => OperatorResult.AlreadyEnded, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As the other method, for those entries that still match a query.</summary>
    /// <remarks>Between the read and the change, no entry is put back and no waiting one is claimed. If an entry does not match, no request
    /// is stored for it: it would stop a run that the operator did not mean.</remarks>
    public async ValueTask<IReadOnlyList<EntryChange>> CancelAsync(
        NpgsqlConnection connection, long[] ids, EntryQuery query, CancellationToken cancellationToken)
    {
        await LockAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        await SendAsync(connection, OperatorSql.LockPlaces, ids, cancellationToken).ConfigureAwait(false);
        var matching = await EntrySearch.MatchAsync(database, connection, query, ids, cancellationToken).ConfigureAwait(false);
        var done = await EndWaitingAsync(connection, matching, EndReasons.CancelRequested, cancellationToken).ConfigureAwait(false);

        // An entry that a claim in progress takes at this moment counts as running.
        long[] rest = [.. matching.Except(done.Select(static change => change.Entry))];
        if (rest.Length > 0 && new EntryConditions(query).MayRun)
        {
            done.AddRange((await RequestAsync(connection, rest, cancellationToken).ConfigureAwait(false)).Values);
        }

        return await ExplainAsync(
            connection, ids, done,
            static why => why == OperatorResult.NotEnded ? OperatorResult.Changed : OperatorResult.AlreadyEnded,
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends waiting entries whose cancellation was requested before. Skips entries that another transaction is changing.</summary>
    /// <returns>How many ended.</returns>
    public async ValueTask<int> EndRequestedAsync(NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken)
    {
        // Under the locks, no request is withdrawn.
        var locked = await FindAsync(connection, CancelRequestSql.TryLockEntries, ids, cancellationToken).ConfigureAwait(false);
        var requested = await FindAsync(connection, CancelRequestSql.Find, locked, cancellationToken).ConfigureAwait(false);
        var ended = await EndWaitingAsync(connection, requested, EndReasons.CancelRequested, cancellationToken).ConfigureAwait(false);
        if (ended.Count > 0)
        {
            await database.ExecuteAsync(
                connection, CancelRequestSql.SetFences, [Ids([.. ended.Select(static change => change.Entry)]), Fences(ended)],
                cancellationToken).ConfigureAwait(false);
        }

        return ended.Count;
    }

    /// <summary>Puts entries that failed or were cancelled back.</summary>
    /// <param name="connection">The connection with the transaction.</param>
    /// <param name="ids">The entries.</param>
    /// <param name="options">When they run, and where they start.</param>
    /// <param name="queues">Gets the queues that have work.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async ValueTask<IReadOnlyList<EntryChange>> RetryAsync(
        NpgsqlConnection connection, long[] ids, RetryOptions options, ISet<string> queues, CancellationToken cancellationToken)
        => await ExplainAsync(
            connection, ids, await PutBackAsync(connection, ids, options, queues, cancellationToken).ConfigureAwait(false),
            static why => why, cancellationToken).ConfigureAwait(false);

    /// <summary>As the other method, for those entries that still match a query. Between the read and the change, no outcome is taken back
    /// or erased.</summary>
    public async ValueTask<IReadOnlyList<EntryChange>> RetryAsync(
        NpgsqlConnection connection, long[] ids, EntryQuery query, RetryOptions options, ISet<string> queues,
        CancellationToken cancellationToken)
    {
        await SendAsync(connection, OperatorSql.LockEnds, ids, cancellationToken).ConfigureAwait(false);
        var matching = await EntrySearch.MatchAsync(database, connection, query, ids, cancellationToken).ConfigureAwait(false);
        var done = await RetryAsync(connection, matching, options, queues, cancellationToken).ConfigureAwait(false);
        return await ExplainAsync(
            connection, ids, done, static why => why == OperatorResult.KeyHeld ? OperatorResult.Changed : why, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Reverses the cancellation of entries that were running: withdraws the requests of those whose handlers have not stopped
    /// yet, and puts the others back. Leaves entries for which another request followed.</summary>
    /// <param name="connection">The connection with the transaction.</param>
    /// <param name="operation">The operation that cancelled the entries.</param>
    /// <param name="cancelled">The entries, with the fences under which they ran.</param>
    /// <param name="queues">Gets the queues that have work.</param>
    /// <param name="cancellationToken">Cancels the write.</param>
    public async ValueTask<IReadOnlyList<EntryChange>> ResumeAsync(
        NpgsqlConnection connection, long operation, List<EntryChange> cancelled, ISet<string> queues, CancellationToken cancellationToken)
    {
        long[] ids = [.. cancelled.Select(static change => change.Entry)];
        await LockAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        var own = (await database.ListAsync(
            connection, OperationSql.Asked, [Arg.Int8(operation), Ids(ids)], static row => row.GetInt64(0), cancellationToken)
            .ConfigureAwait(false)).ToHashSet();
        var asked = cancelled.FindAll(change => own.Contains(change.Entry));
        var done = await PutCancelledBackAsync(connection, asked, queues, cancellationToken).ConfigureAwait(false);
        var rest = asked.FindAll(change => !done.Exists(other => other.Entry == change.Entry));
        if (rest.Count > 0)
        {
            done.AddRange(await database.ListAsync(
                connection, OperatorSql.WithdrawCancel, [Ids([.. rest.Select(static change => change.Entry)]), Fences(rest)],
                static row => new EntryChange(row.GetInt64(0), OperatorResult.Done), cancellationToken).ConfigureAwait(false));

            // A handler may have stopped between the two.
            var left = rest.FindAll(change => !done.Exists(other => other.Entry == change.Entry));
            done.AddRange(await PutCancelledBackAsync(connection, left, queues, cancellationToken).ConfigureAwait(false));
        }

        return await ExplainAsync(connection, ids, done, static _ => OperatorResult.Changed, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Locks the outcomes with which an operator has cancelled entries.</summary>
    /// <param name="connection">The connection with the transaction.</param>
    /// <param name="cancelled">The entries, with the fences of the outcomes.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <returns>The entries that are still cancelled in this way.</returns>
    public async ValueTask<long[]> LockCancelledAsync(
        NpgsqlConnection connection, List<EntryChange> cancelled, CancellationToken cancellationToken)
        => cancelled.Count == 0
            ? []
            : [.. await database.ListAsync(
                connection,
                OperatorSql.LockCancelled,
                [Ids([.. cancelled.Select(static change => change.Entry)]), Fences(cancelled)],
                static row => row.GetInt64(0),
                cancellationToken).ConfigureAwait(false)];

    /// <summary>Adds why the entries that were not changed were not.</summary>
    /// <param name="connection">The connection with the transaction.</param>
    /// <param name="ids">All entries.</param>
    /// <param name="done">The entries that have a result.</param>
    /// <param name="result">The result of another entry, from why it can't be retried: <see cref="OperatorResult.KeyHeld"/> if that is the
    /// only possible reason.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    public async ValueTask<IReadOnlyList<EntryChange>> ExplainAsync(
        NpgsqlConnection connection, long[] ids, IReadOnlyList<EntryChange> done, Func<OperatorResult, OperatorResult> result,
        CancellationToken cancellationToken)
    {
        long[] others = [.. ids.Except(done.Select(static change => change.Entry))];
        if (others.Length == 0)
        {
            return done;
        }

        var why = (await database.ListAsync(
            connection, OperatorSql.WhyNotRetried, [Ids(others)],
            static row => (Id: row.GetInt64(0), Result: (OperatorResult)row.GetInt32(1)), cancellationToken).ConfigureAwait(false))
            .ToDictionary(static row => row.Id, static row => row.Result);
        return [.. done, .. others.Select(
            id => new EntryChange(id, why.TryGetValue(id, out var reason) ? result(reason) : OperatorResult.NotFound))];
    }

    // The entries must be locked. Returns those that have not ended, as running.
    private async ValueTask<Dictionary<long, EntryChange>> RequestAsync(
        NpgsqlConnection connection, long[] ids, CancellationToken cancellationToken)
    {
        var asked = await database.ListAsync(
            connection,
            OperatorSql.RequestCancel,
            [Ids(ids)],
            static row => new EntryChange(row.GetInt64(0), OperatorResult.Done)
            {
                Fence = row.Int64OrNull(1),
                IsRunning = true,
            },
            cancellationToken).ConfigureAwait(false);
        return asked.ToDictionary(static change => change.Entry);
    }

    private ValueTask<List<EntryChange>> EndWaitingAsync(
        NpgsqlConnection connection, IReadOnlyCollection<long> ids, string reason, CancellationToken cancellationToken)
        => database.ListAsync(
            connection,
            OperatorSql.CancelWaitingPlaces,
            [Ids(ids), Arg.Text(reason)],
            static row => new EntryChange(row.GetInt64(0), OperatorResult.Done)
            {
                Fence = row.GetInt64(1),
                RunAt = row.UtcTime(2),
                Level = row.GetInt16(3),
                Attempt = row.GetInt16(4),
                Crashes = row.GetInt16(5),
            },
            cancellationToken);

    private ValueTask<List<EntryChange>> PutBackAsync(
        NpgsqlConnection connection, long[] ids, RetryOptions options, ISet<string> queues, CancellationToken cancellationToken)
        => database.ListAsync(
            connection,
            OperatorSql.Retry,
            [Ids(ids), Arg.Bool(options.From == RetryFrom.Start), Arg.Time(options.RunAt)],
            row =>
            {
                queues.Add(row.GetString(1));
                return new EntryChange(row.GetInt64(0), OperatorResult.Done) { Fence = row.GetInt64(2) };
            },
            cancellationToken);

    // Returns those that were put back, and those whose key is held.
    private async ValueTask<List<EntryChange>> PutCancelledBackAsync(
        NpgsqlConnection connection, List<EntryChange> asked, ISet<string> queues, CancellationToken cancellationToken)
    {
        var cancelled = await LockCancelledAsync(connection, asked, cancellationToken).ConfigureAwait(false);
        if (cancelled.Length == 0)
        {
            return [];
        }

        var done = await PutBackAsync(connection, cancelled, new RetryOptions(), queues, cancellationToken).ConfigureAwait(false);
        return
        [
            .. done.Select(static change => change with { Fence = null }),
            .. cancelled.Except(done.Select(static change => change.Entry)).Select(
                static id => new EntryChange(id, OperatorResult.KeyHeld)),
        ];
    }

    private ValueTask<List<long>> FindAsync(
        NpgsqlConnection connection, string statement, IReadOnlyCollection<long> ids, CancellationToken cancellationToken)
        => database.ListAsync(connection, statement, [Ids(ids)], static row => row.GetInt64(0), cancellationToken);

    private async ValueTask SendAsync(NpgsqlConnection connection, string statement, long[] ids, CancellationToken cancellationToken)
        => await database.ListAsync(connection, statement, [Ids(ids)], static _ => true, cancellationToken).ConfigureAwait(false);

    private static NpgsqlParameter Fences(List<EntryChange> changes)
        => Arg.Array([.. changes.Select(static change => change.Fence)], NpgsqlDbType.Bigint);

    private static NpgsqlParameter Ids(IReadOnlyCollection<long> ids) => Arg.Array([.. ids], NpgsqlDbType.Bigint);
}
