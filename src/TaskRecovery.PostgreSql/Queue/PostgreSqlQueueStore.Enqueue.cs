using System.Data.Common;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Stores entries.</content>
internal sealed partial class PostgreSqlQueueStore
{
    private const int MaxTries = 20;
    private const int MaxHalvings = 6;

    // The wait for another transaction that is about to end or to claim the holder of a key, times the number of tries.
    private static readonly TimeSpan LockedWait = TimeSpan.FromMilliseconds(5);

    public async ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        if (entries.Count == 0)
        {
            return [];
        }

        return transaction is null
            ? await EnqueuePatientlyAsync(entries, cancellationToken).ConfigureAwait(false)
            : await EnqueueInAsync(entries, transaction, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<EnqueueResult[]?> TryEnqueueAsync(
        IReadOnlyList<NewEntry> entries, TimeSpan keyWait, bool isBlocked, CancellationToken cancellationToken)
    {
        try
        {
            return await EnqueueNowAsync(entries, keyWait, isTry: true, isBlocked, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException exception) when (exception.IsLockTimeout)
        {
            return null;
        }
    }

    // The wait for a unique key ends before the statement exceeds the command time-out. Otherwise that would look like a statement that is
    // too large, and be repeated with smaller and smaller ones. It still looks so if the statement waits for several keys, one after the
    // other, because the server limits each wait by itself.
    private async ValueTask<EnqueueResult[]> EnqueuePatientlyAsync(IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        var limit = TimeSpan.FromSeconds(_database.CommandTimeout);
        for (var isLast = false; ; isLast = true)
        {
            try
            {
                return (await EnqueueNowAsync(entries, limit / 2, isTry: false, isBlocked: false, cancellationToken)
                    .ConfigureAwait(false))!;
            }
            catch (StoreUnavailableException exception)
                when (exception.IsLockTimeout && entries.Any(static entry => entry.UniqueKey is not null))
            {
                if (isLast)
                {
                    throw new StoreUnavailableException(
                        $"A unique key of these entries was not free for {limit.TotalSeconds} s: a transaction that is still open has "
                        + "stored an entry with it, or has ended the entry that holds it. Nothing was stored. End that transaction, or "
                        + "try again later. If it is the caller's own, pass it to the call.",
                        exception.InnerException);
                }
            }
        }
    }

    public Func<CancellationToken, ValueTask<bool?>>? FollowCommit(DbTransaction transaction, long entryId)
        => Commits.Follow(transaction, entryId);

    // A try returns null if a statement exceeded the command time-out before the commit was requested: it may have waited for several keys,
    // one after the other, and nothing was stored.
    private async ValueTask<EnqueueResult[]?> EnqueueNowAsync(
        IReadOnlyList<NewEntry> entries, TimeSpan keyWait, bool isTry, bool isBlocked, CancellationToken cancellationToken)
    {
        var names = await Names.ResolveAsync(entries, cancellationToken).ConfigureAwait(false);
        var call = new EnqueueCall(Names, entries, names, keyWait) { IsBlocked = isBlocked };

        // A single statement is a transaction by itself. Unique keys may need a second statement; if there are several entries, a
        // transaction then makes the call all-or-nothing.
        var isOneStatement = EnqueueBatch.FitsOneStatement(entries) && (entries.Count == 1 || !entries.Any(NeedsOwnStatement));
        for (var (tries, halvings) = (1, 0); ;)
        {
            try
            {
                var results = isOneStatement
                    ? await StoreOneStatementAsync(call, null, cancellationToken).ConfigureAwait(false)
                    : await _database.InTransactionAsync(
                        (connection, token) => StoreAsync(call, connection, token), cancellationToken, call.IsBlocked)
                        .ConfigureAwait(false);
                foreach (var queue in QueuesWorthAHint(entries))
                {
                    Hints.WorkForOthers(queue);
                }

                return results;
            }
            catch (StoreUnavailableException exception) when (tries < MaxTries && PostgreSqlErrors.IsConflict(exception.InnerException!))
            {
                // A deadlock with another caller's unique keys: nothing was stored, so retry.
                tries++;
            }
            catch (StoreUnavailableException exception) when (
                halvings < MaxHalvings && call is { IsAnswered: false, CanBeHalved: true }
                    && !isOneStatement && PostgreSqlErrors.IsTimeout(exception))
            {
                // A statement exceeded the command time-out before the commit was requested: nothing was stored, so retry with smaller
                // statements.
                if (isTry)
                {
                    return null;
                }

                halvings++;
                call.Halve();
            }
        }
    }

    private ValueTask<EnqueueResult[]> StoreOneStatementAsync(
        EnqueueCall call, NpgsqlConnection? callers, CancellationToken cancellationToken)
        => call.Entries is [var entry] && NeedsOwnStatement(entry)
            ? StoreAsync(call, callers, cancellationToken)
            : StoreAloneAsync(call, callers, cancellationToken);

    // With one statement: in a transaction of its own, or a single entry, which is what most callers store, in the caller's.
    private async ValueTask<EnqueueResult[]> StoreAloneAsync(
        EnqueueCall call, NpgsqlConnection? callers, CancellationToken cancellationToken)
    {
        while (true)
        {
            var results = call.Entries is not [var entry]
                ? await StoreManyAsync(call, cancellationToken).ConfigureAwait(false)
                : callers is null
                ? await _database.ReadAsync(
                    call.One, call.ToArgs(entry), (reader, token) => ReadOneAsync(reader, call, token), cancellationToken)
                    .ConfigureAwait(false)
                : await ReadInAsync(
                    callers, call, call.One, call.ToArgs(entry), (reader, token) => ReadOneAsync(reader, call, token),
                    cancellationToken).ConfigureAwait(false);
            if (results is not null)
            {
                return results;
            }

            await call.ResolveAgainAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    // The caller may have ended its transaction since the last statement, while this call waited for something else: if it no longer waits
    // for the call, for example. The statement would then be committed by itself.
    private ValueTask<EnqueueResult[]?> ReadInAsync(
        NpgsqlConnection connection, EnqueueCall call, string statement, NpgsqlParameter[] args,
        Func<NpgsqlDataReader, CancellationToken, ValueTask<EnqueueResult[]?>> read, CancellationToken cancellationToken)
    {
        call.RequireOpen(connection);
        return _database.ReadAsync(connection, statement, args, read, cancellationToken);
    }

    private ValueTask<EnqueueResult[]?> StoreManyAsync(EnqueueCall call, CancellationToken cancellationToken)
    {
        var (statement, args) = call.Many(call.Entries);
        return _database.ReadAsync(statement, args, ReadIdsAsync, cancellationToken);
    }

    private async ValueTask<EnqueueResult[]> EnqueueInAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction transaction, CancellationToken cancellationToken)
    {
        EnqueueCall? call = null;
        try
        {
            var connection = await Transactions.RequireOwnAsync(transaction, cancellationToken).ConfigureAwait(false);
            var names = await Names.ResolveAsync(entries, cancellationToken).ConfigureAwait(false);
            call = new EnqueueCall(Names, entries, names, keyWait: null) { Transaction = transaction };
            var results = call.Entries.Count == 1
                ? await StoreOneStatementAsync(call, connection, cancellationToken).ConfigureAwait(false)
                : await StoreAsync(call, connection, cancellationToken).ConfigureAwait(false);
            Commits.Remember(transaction, call.Stored);
            if (call.Stored is not { } stored)
            {
                return results;
            }

            foreach (var queue in QueuesWorthAHint(call.Entries))
            {
                Hints.WorkAfterCommit(stored.Transaction, queue);
            }

            return results;
        }
        catch (Exception exception) when (PostgreSqlErrors.OfCaller(exception, nameof(transaction)) is not null)
        {
            throw PostgreSqlErrors.OfCaller(exception, nameof(transaction), hasStored: call?.Stored is not null)!;
        }
        catch (Exception exception) when (PostgreSqlErrors.Translate(exception, _database.SchemaName) is not null)
        {
            throw PostgreSqlErrors.Translate(exception, _database.SchemaName)!;
        }
    }

    // Without a connection, each statement is a transaction of its own.
    private async ValueTask<EnqueueResult[]> StoreAsync(EnqueueCall call, NpgsqlConnection? connection, CancellationToken cancellationToken)
    {
        call.IsAnswered = false;
        var results = new EnqueueResult[call.Entries.Count];
        for (var start = 0; start < results.Length;)
        {
            var count = call.Fitting(start);
            await StoreChunkAsync([.. Enumerable.Range(start, count)], call, results, connection, cancellationToken).ConfigureAwait(false);
            start += count;
        }

        call.IsAnswered = true;
        return results;
    }

    private async ValueTask StoreChunkAsync(
        int[] places, EnqueueCall call, EnqueueResult[] results, NpgsqlConnection? connection, CancellationToken cancellationToken)
    {
        for (var tries = 0; places.Length > 0; tries++)
        {
            if (tries == MaxTries)
            {
                throw new StoreUnavailableException(
                    $"Unique key '{call.Entries[places[0]].UniqueKey}' changed hands {MaxTries} times while it was asked for. "
                    + "Nothing was stored; try again.");
            }

            NewEntry[] chunk = [.. places.Select(place => call.Entries[place])];
            var found = await StoreChunkOnceAsync(chunk, call, connection, cancellationToken).ConfigureAwait(false);
            if (found is null)
            {
                await call.ResolveAgainAsync(cancellationToken).ConfigureAwait(false);
                continue;
            }

            // If a second statement names the same holder, that entry held the key when the statement began.
            var isDoubtful = new bool[found.Length];
            for (var i = 0; i < found.Length; i++)
            {
                isDoubtful[i] = call.MayHaveReleased.Contains(found[i].Id) && results[places[i]].Id != found[i].Id;
                results[places[i]] = found[i];
            }

            var expired = await EndExpiredAsync(call, connection, tries, cancellationToken).ConfigureAwait(false);
            places = [.. places.Where((_, i)
                => found[i].Id == 0 || isDoubtful[i] || (found[i].IsDuplicate && expired.Contains(found[i].Id)))];
        }
    }

    // The holder of a key that was not claimed in time will never run, so it must not stand for an entry that should. In a caller's
    // transaction, it is ended by a transaction of its own: claims would wait for its row until the caller's transaction ends. Only a
    // holder that the caller's transaction has stored itself, which no claim and no other transaction sees, is ended there. Returns the
    // holders that have ended, or that another transaction is about to end or to claim: the next try sees which.
    private async ValueTask<HashSet<long>> EndExpiredAsync(
        EnqueueCall call, NpgsqlConnection? connection, int tries, CancellationToken cancellationToken)
    {
        if (call.Expired.Count == 0)
        {
            return [];
        }

        long[] holders = [.. call.Expired];
        call.Expired.Clear();
        var found = call.IsOwn && connection is not null
            ? await EndAsync(connection, cancellationToken).ConfigureAwait(false)
            : await _database.InTransactionAsync(EndAsync, cancellationToken, call.IsBlocked).ConfigureAwait(false);
        if (!call.IsOwn && connection is not null && found.Exists(static holder => !holder.IsStored))
        {
            holders = [.. found.Where(static holder => !holder.IsStored).Select(static holder => holder.Id)];
            found.RemoveAll(static holder => !holder.IsStored);
            found.AddRange(await EndAsync(connection, cancellationToken).ConfigureAwait(false));
        }

        if (found.Exists(static holder => !holder.HasEnded))
        {
            await Task.Delay(LockedWait * (tries + 1), _time, cancellationToken).ConfigureAwait(false);
        }

        return [.. found.Where(holder => holder.HasEnded || tries < MaxTries - 1).Select(static holder => holder.Id)];

        ValueTask<List<(long Id, bool HasEnded, bool IsStored)>> EndAsync(NpgsqlConnection used, CancellationToken token)
        {
            if (used == connection)
            {
                call.RequireOpen(used);
            }

            return _database.ListAsync(
                used, OperatorSql.EndExpired, [Arg.Array(holders, NpgsqlDbType.Bigint), Arg.Text(EndReasons.Expired)],
                static row => (row.GetInt64(0), row.GetBoolean(1), row.GetBoolean(2)), token);
        }
    }

    private static bool NeedsOwnStatement(NewEntry entry) => entry.UniqueKey is not null || entry.ExpiresAt is not null;

    // Returns null if the numbers of the names were rejected.
    private ValueTask<EnqueueResult[]?> StoreChunkOnceAsync(
        NewEntry[] chunk, EnqueueCall call, NpgsqlConnection? connection, CancellationToken cancellationToken)
    {
        var needsRows = Array.Exists(chunk, NeedsOwnStatement);
        var (statement, args) = chunk is [var entry] && needsRows
            ? (call.OneUnique, call.ToUniqueArgs(entry))
            : needsRows
            ? (call.ManyUnique, call.ToUniqueArgs(chunk))
            : call.Many(chunk);
        return connection is null
            ? _database.ReadAsync(statement, args, ReadAsync, cancellationToken, call.IsBlocked)
            : ReadInAsync(connection, call, statement, args, ReadAsync, cancellationToken);

        ValueTask<EnqueueResult[]?> ReadAsync(NpgsqlDataReader reader, CancellationToken token)
            => needsRows
                ? ReadResultsAsync(reader, chunk.Length, call, token)
                : ReadIdsAsync(reader, call.IsOwn ? null : call, token);
    }

    private static async ValueTask<EnqueueResult[]?> ReadOneAsync(
        NpgsqlDataReader reader, EnqueueCall call, CancellationToken cancellationToken)
    {
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            return null;
        }

        if (!call.IsOwn)
        {
            call.AddStored(reader.GetFieldValue<ulong>(1), reader.GetFieldValue<DateTimeOffset>(2));
        }

        return [new EnqueueResult(reader.GetInt64(0), IsDuplicate: false)];
    }

    private static ValueTask<EnqueueResult[]?> ReadIdsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
        => ReadIdsAsync(reader, inTransaction: null, cancellationToken);

    private static async ValueTask<EnqueueResult[]?> ReadIdsAsync(
        NpgsqlDataReader reader, EnqueueCall? inTransaction, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.IsDBNull(0))
        {
            return null;
        }

        var results = ReadNew(reader);
        inTransaction?.AddStored(reader.GetFieldValue<ulong>(1), reader.GetFieldValue<DateTimeOffset>(2));
        return results;
    }

    /// <summary>The results of entries none of which is a duplicate: the first column contains their ids as one array.</summary>
    internal static EnqueueResult[] ReadNew(NpgsqlDataReader reader)
        => Array.ConvertAll(reader.GetFieldValue<long[]>(0), static id => new EnqueueResult(id, IsDuplicate: false));

    private static async ValueTask<EnqueueResult[]?> ReadResultsAsync(
        NpgsqlDataReader reader, int count, EnqueueCall call, CancellationToken cancellationToken)
    {
        var (results, read) = (new EnqueueResult[count], 0);
        call.Expired.Clear();
        call.MayHaveReleased.Clear();
        for (; await reader.ReadAsync(cancellationToken).ConfigureAwait(false); read++)
        {
            results[read] = new EnqueueResult(reader.IsDBNull(0) ? 0 : reader.GetInt64(0), reader.GetBoolean(1));
            if (reader.GetBoolean(2) && results[read].Id != 0)
            {
                call.Expired.Add(results[read].Id);
            }

            if (reader.GetBoolean(3))
            {
                call.MayHaveReleased.Add(results[read].Id);
            }

            if (!call.IsOwn && !reader.IsDBNull(5))
            {
                call.AddStored(reader.GetFieldValue<ulong>(4), reader.GetFieldValue<DateTimeOffset>(5));
            }
        }

        return read == 0 ? null : results;
    }
}
