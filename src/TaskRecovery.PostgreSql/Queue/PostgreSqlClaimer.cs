using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Claims entries of one queue for one node, resuming where the last claim stopped.</summary>
internal sealed partial class PostgreSqlClaimer(
    PostgreSqlQueueStore store, PostgreSqlDatabase database, TimeProvider time,
    Guid nodeId, string queue, IReadOnlyCollection<string> kinds) : IQueueClaimer
{
    private const int FirstLevel = CrashLevels.Lowest;
    private const int LastLevel = CrashLevels.Highest;
    private const string UnknownKind = "unknown";

    // A scan from the front finds entries that were committed late. While an old snapshot is held it may be slow; it then takes at most a
    // twentieth of the time, however often it is requested.
    private const int RescanShare = 20;
    private static readonly TimeSpan RescanInterval = TimeSpan.FromSeconds(1);

    // After meeting a competing claimer, use the SKIP LOCKED statement for this long.
    private static readonly TimeSpan OthersStay = TimeSpan.FromSeconds(1);

    private readonly ClaimCursor _cursor = new();
    private readonly Dictionary<int, string> _kindNames = [];
    private readonly string[] _kindsByPlace = [.. kinds];
    private NameNumbers? _names;
    private short[]? _kinds;
    private PausedKinds _paused = PausedKinds.None;
    private int _queue;

    // The first level of ordinary entries (see CrashLevels).
    private int _firstOrdinary = -1;
    private long _rescanned;
    private TimeSpan _rescanTook;
    private long? _metOthers;
    private volatile bool _rewind = true;

    public void Rewind() => _rewind = true;

    public async ValueTask<ClaimBatch> ClaimAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
    {
        return await ClaimByNumbersAsync(limit, suspects, cancellationToken).ConfigureAwait(false)
            ?? await ClaimByNumbersAsync(limit, suspects, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreUnavailableException(
                "The numbers of this queue and its kinds changed twice during a claim: the database is being restored or emptied. "
                + "Nothing was claimed.");
    }

    public async ValueTask<bool> HasLastChanceAsync(int maxCrashes, CancellationToken cancellationToken)
    {
        await LoadNamesAsync(cancellationToken).ConfigureAwait(false);
        var (openKinds, _) = FindOpenKinds();
        return openKinds.Length > 0 && await database.ReadAsync(
            ClaimSql.HasLastChance,
            [Arg.Int4(_queue), Arg.Array(openKinds, NpgsqlDbType.Smallint), Arg.Int4(CrashLevels.LastChance(maxCrashes))],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetBoolean(0),
            cancellationToken).ConfigureAwait(false);
    }

    // Returns null if a number no longer belongs to its name: nothing was claimed, and the next call resolves the names again.
    private async ValueTask<ClaimBatch?> ClaimByNumbersAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
    {
        await LoadNamesAsync(cancellationToken).ConfigureAwait(false);
        var (openKinds, openNames) = FindOpenKinds();
        if (openKinds.Length == 0)
        {
            return ClaimBatch.Empty;
        }

        var started = time.GetTimestamp();
        var fromFront = RewindIfDue(started);
        var lastChance = CrashLevels.LastChance(suspects.MaxCrashes);
        var suspect = CrashLevels.Suspect(suspects.MaxCrashes);
        _firstOrdinary = suspect + 1;
        NpgsqlParameter[] Args() =>
        [
            Arg.Uuid(nodeId), Arg.Int4(_queue), Arg.Array(openKinds, NpgsqlDbType.Smallint), Arg.Int4(limit),
            .. LevelArgs(FirstLevel, suspects.LastChances > 0 ? lastChance : FirstLevel - 1), Arg.Int4(suspects.LastChances),
            .. LevelArgs(lastChance + 1, suspects.Suspects > 0 ? suspect : lastChance), Arg.Int4(suspects.Suspects),
            .. LevelArgs(suspect + 1, LastLevel), Arg.Text(queue), Arg.Array(openNames, NpgsqlDbType.Text),
        ];

        FaultPoints.Reach(FaultPoints.ClaimBeforeCommit);
        var alone = await ClaimAloneAsync(started, Args, cancellationToken).ConfigureAwait(false);
        var answer = alone ?? (await ReadAsync(ClaimSql.ClaimBesideOthers, Args(), cancellationToken).ConfigureAwait(false))!;
        if (answer.Selected < 0)
        {
            store.Names.Forget(_names!);
            return null;
        }

        var (batch, taken) = (alone is null ? answer.Batch with { IsContested = true } : answer.Batch, answer.Taken);
        if (batch.NodeIsDead)
        {
            return batch;
        }

        if (batch.Fence != 0)
        {
            FaultPoints.Reach(FaultPoints.ClaimCommitted);
            store.KnownClaims.Add(batch.Fence, [.. taken.Select(row => row.Id)]);
        }

        if (answer.Selected > taken.Count)
        {
            // A competing claimer was faster. There may be more entries behind those that it took, so the cursor stays where it is.
            return batch with { NextDue = TimeSpan.Zero };
        }

        // If the claim was cut short because of the size of its entries, treat its last entry as the one that reached the limit.
        Advance(answer.StoppedAtSize ? taken.Count : limit, suspects, lastChance, suspect, taken, answer.Now);
        if (fromFront)
        {
            // The first scan includes planning the statement on its connection, so its duration says nothing about the next one.
            var first = _rescanned == 0;
            _rescanned = time.GetTimestamp();
            _rescanTook = first ? TimeSpan.Zero : time.GetElapsedTime(started, _rescanned);
        }

        return answer.StoppedAtSize ? batch with { NextDue = TimeSpan.Zero } : batch;
    }

    // The cursor has passed the entries of kinds that were paused.
    private (short[] Kinds, string[] Names) FindOpenKinds()
    {
        var paused = store.Paused;
        if (!ReferenceEquals(paused, _paused))
        {
            _paused = paused;
            _cursor.Rewind();
        }

        return paused.Remove(_kinds!, _kindsByPlace);
    }

    private NpgsqlParameter[] LevelArgs(int first, int last)
    {
        var (levels, times, ids) = _cursor.From(first, last);
        return [Arg.Array(levels, NpgsqlDbType.Smallint), Arg.Array(times, NpgsqlDbType.TimestampTz), Arg.Array(ids, NpgsqlDbType.Bigint)];
    }

    private async ValueTask LoadNamesAsync(CancellationToken cancellationToken)
    {
        if (_names?.IsAsOldAs(store.Names.Known) == true)
        {
            return;
        }

        _names = await store.Names.ResolveAsync(_kindsByPlace, [queue], cancellationToken).ConfigureAwait(false);
        _queue = _names.Queue(queue);
        _kinds = Array.ConvertAll(_kindsByPlace, _names.Kind);
        _kindNames.Clear();
        for (var i = 0; i < _kinds.Length; i++)
        {
            _kindNames[_kinds[i]] = _kindsByPlace[i];
        }

        _cursor.Rewind();
    }

    private bool RewindIfDue(long now)
    {
        var since = _rescanned == 0 ? TimeSpan.MaxValue : time.GetElapsedTime(_rescanned, now);
        if ((_rescanTook > store.LongRescan && since < _rescanTook * RescanShare) || (!_rewind && since < RescanInterval))
        {
            return false;
        }

        _rewind = false;
        _cursor.Rewind();
        return true;
    }

    private void Advance(
        int limit, SuspectAllowance suspects, int lastChance, int suspect,
        IReadOnlyList<(int Level, DateTime RunAt, long Id)> taken, DateTime now)
    {
        var left = limit;
        Part(FirstLevel, lastChance, suspects.LastChances);
        Part(lastChance + 1, suspect, suspects.Suspects);
        Part(suspect + 1, LastLevel, limit);

        void Part(int first, int last, int most)
        {
            var part = taken.Where(row => row.Level >= first && row.Level <= last).ToList();
            if (most > 0 && left > 0)
            {
                _cursor.Advance(first, last, part, part.Count >= Math.Min(most, left), now);
            }

            left -= part.Count;
        }
    }

    // Returns null if another claimer is or was recently active. If the statement fails, it may have waited too long for a row lock: the
    // next claim uses SKIP LOCKED.
    private async ValueTask<Answer?> ClaimAloneAsync(long now, Func<NpgsqlParameter[]> args, CancellationToken cancellationToken)
    {
        if (_metOthers is { } met && time.GetElapsedTime(met, now) < OthersStay)
        {
            return null;
        }

        var isAlone = false;
        try
        {
            var answer = await ReadAsync(ClaimSql.ClaimAlone, args(), cancellationToken).ConfigureAwait(false);

            // A fence means that the claim is stored: its answer must reach the engine.
            isAlone = answer is { Selected: <= 0 } or { Batch.Fence: not 0 };
            return isAlone ? answer : null;
        }
        finally
        {
            _metOthers = isAlone ? null : time.GetTimestamp();
        }
    }

    // Returns null if another claimer holds the queue's advisory lock.
    private ValueTask<Answer?> ReadAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => database.ReadAsync(statement, args, ReadAnswerAsync, cancellationToken);

    private async ValueTask<Answer?> ReadAnswerAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.IsDBNull(ClaimColumns.Node))
        {
            return new Answer(new ClaimBatch(true, 0, [], null), [], default, 0, StoppedAtSize: false);
        }

        if (reader.IsDBNull(ClaimColumns.Selected))
        {
            return null;
        }

        var (now, selected) = (reader.GetDateTime(ClaimColumns.Now), (int)reader.GetInt64(ClaimColumns.Selected));
        var stoppedAtSize = reader.GetBoolean(ClaimColumns.StoppedAtSize);
        if (reader.IsDBNull(ClaimColumns.Fence))
        {
            TimeSpan? nextDue = reader.IsDBNull(ClaimColumns.NextDue) ? null : reader.GetTimeSpan(ClaimColumns.NextDue);
            return new Answer(new ClaimBatch(false, 0, [], nextDue), [], now, selected, stoppedAtSize);
        }

        var fence = reader.GetInt64(ClaimColumns.Fence);
        var (entries, taken) = (new List<ClaimedEntry>(selected), new List<(int Level, DateTime RunAt, long Id)>(selected));
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (id, runAt) = (reader.GetInt64(ClaimColumns.Id), reader.UtcTime(ClaimColumns.RunAt));
            taken.Add((reader.GetInt16(ClaimColumns.Level), runAt, id));
            entries.Add(Read(reader, id, now, now - runAt));
        }

        return new Answer(new ClaimBatch(false, fence, entries, null), taken, now, selected, stoppedAtSize);
    }

    // The claim is already committed: if one entry could not be read, the claim would be released and made again forever. Therefore a row
    // that another program has damaged is returned as one entry with a problem, which fails.
    private ClaimedEntry Read(NpgsqlDataReader reader, long id, DateTime now, TimeSpan waited)
    {
        try
        {
            return !reader.IsDBNull(ClaimColumns.Args) ? ReadRow(reader, id, now, waited)
                : reader.IsDBNull(ClaimColumns.Kind) ? Missing(reader, id, waited)
                : Unreadable(reader, id, waited, ClaimLimits.TooLarge);
        }
        catch (KeyNotFoundException)
        {
            return Unreadable(
                reader, id, waited, $"its kind has the number {reader.GetInt16(ClaimColumns.Kind)}, and it waited as another");
        }
        catch (Exception exception)
            when (exception is InvalidCastException or OverflowException or ArgumentException or FormatException)
        {
            return Unreadable(reader, id, waited, exception.Message);
        }
    }

    private ClaimedEntry Unreadable(NpgsqlDataReader reader, long id, TimeSpan waited, string problem) => new()
    {
        Id = id,
        Kind = _kindNames.GetValueOrDefault(reader.GetInt16(ClaimColumns.Kind), UnknownKind),
        Priority = reader.GetInt16(ClaimColumns.Priority),
        Args = ReadOnlyMemory<byte>.Empty,
        Attempt = reader.GetInt16(ClaimColumns.Attempt) + 1,
        MaxAttempts = reader.GetInt16(ClaimColumns.MaxAttempts),
        Crashes = reader.GetInt16(ClaimColumns.Crashes),
        CreatedAt = DateTimeOffset.UnixEpoch,
        Waited = waited,
        HasUniqueKey = reader.GetBoolean(ClaimColumns.HasKey),
        Problem = problem,
    };

    // The row of waiting is all that is left of the entry.
    private static ClaimedEntry Missing(NpgsqlDataReader reader, long id, TimeSpan waited) => new()
    {
        Id = id,
        Kind = UnknownKind,
        Priority = 0,
        Args = ReadOnlyMemory<byte>.Empty,
        Attempt = reader.GetInt16(ClaimColumns.Attempt) + 1,
        MaxAttempts = 1,
        Crashes = reader.GetInt16(ClaimColumns.Crashes),
        CreatedAt = DateTimeOffset.UnixEpoch,
        Waited = waited,
        Problem = "it waits, but table entries has no row for it",
    };

    private ClaimedEntry ReadRow(NpgsqlDataReader reader, long id, DateTime now, TimeSpan waited) => new()
    {
        Id = id,
        Attempt = reader.GetInt16(ClaimColumns.Attempt) + 1,
        Crashes = reader.GetInt16(ClaimColumns.Crashes),
        Waited = waited,
        Kind = _kindNames[reader.GetInt16(ClaimColumns.Kind)],
        Priority = reader.GetInt16(ClaimColumns.Priority),
        MaxAttempts = reader.GetInt16(ClaimColumns.MaxAttempts),
        CreatedAt = reader.Time(ClaimColumns.CreatedAt),
        Args = reader.GetFieldValue<byte[]>(ClaimColumns.Args),
        HasUniqueKey = reader.GetBoolean(ClaimColumns.HasKey),
        Timeout = reader.IsDBNull(ClaimColumns.Timeout) ? null : reader.GetTimeSpan(ClaimColumns.Timeout),
        StartsWithin = reader.IsDBNull(ClaimColumns.ExpiresAt) ? null : reader.UtcTime(ClaimColumns.ExpiresAt) - now,
        Metadata = reader.IsDBNull(ClaimColumns.Metadata) ? null : reader.GetString(ClaimColumns.Metadata),
        TraceParent = reader.IsDBNull(ClaimColumns.TraceParent) ? null : reader.GetString(ClaimColumns.TraceParent),
        CancelRequested = reader.GetBoolean(ClaimColumns.CancelRequested),

        // A row that was put back is always found by its id.
        IsFirstRun = !reader.GetBoolean(ClaimColumns.FoundById),
    };

    /// <param name="Batch">The batch for the engine.</param>
    /// <param name="Taken">The positions of the entries that were taken.</param>
    /// <param name="Now">The database's time.</param>
    /// <param name="Selected">How many rows the claim selected, before another claimer took some of them.</param>
    /// <param name="StoppedAtSize">Whether the claim left due entries because of their size.</param>
    private sealed record Answer(
        ClaimBatch Batch, IReadOnlyList<(int Level, DateTime RunAt, long Id)> Taken, DateTime Now, long Selected, bool StoppedAtSize);
}
