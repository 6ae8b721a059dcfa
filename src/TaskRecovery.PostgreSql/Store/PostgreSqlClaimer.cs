using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Claims entries of one queue for one node, going on from where it stopped.</summary>
internal sealed partial class PostgreSqlClaimer(PostgreSqlQueueStore store, PostgreSqlDatabase database, TimeProvider time, Guid nodeId, string queue, IReadOnlyCollection<string> kinds) : IQueueClaimer
{
    private const int FirstLevel = -10;
    private const int LastLevel = 9;

    // Looking from the front finds what was committed late. While an old snapshot is held it may take long, and is then done only
    // as often as a twentieth of the time allows, whoever asks for it.
    private const int RescanShare = 20;
    private static readonly TimeSpan LongRescan = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RescanInterval = TimeSpan.FromSeconds(1);

    // Whoever has met another claimer of its queue takes the statement for several for so long.
    private static readonly TimeSpan OthersStay = TimeSpan.FromSeconds(1);

    private readonly ClaimCursor _cursor = new();
    private readonly Dictionary<int, string> _kindNames = [];
    private readonly string[] _kindsByPlace = [.. kinds];
    private NameNumbers? _names;
    private short[]? _kinds;
    private int _queue;

    // What has crashed more often waits for its turn, not for a place in line.
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
            ?? throw new StoreUnavailableException("The numbers of this queue and its kinds changed twice during a claim: the database is being restored or emptied. Nothing was claimed.");
    }

    // Null where a number is not the name's any more: nothing was claimed, and the next call resolves the names again.
    private async ValueTask<ClaimBatch?> ClaimByNumbersAsync(int limit, SuspectAllowance suspects, CancellationToken cancellationToken)
    {
        await LoadNamesAsync(cancellationToken).ConfigureAwait(false);
        var started = time.GetTimestamp();
        var fromFront = RewindIfDue(started);
        var lastChance = Math.Clamp(-suspects.MaxCrashes, FirstLevel, -1);
        var suspect = Math.Max(lastChance, -2);
        _firstOrdinary = suspect + 1;
        NpgsqlParameter[] Args() =>
        [
            Arg.Uuid(nodeId), Arg.Int4(_queue), Arg.Array(_kinds!, NpgsqlDbType.Smallint), Arg.Int4(limit),
            .. LevelArgs(FirstLevel, suspects.LastChances > 0 ? lastChance : FirstLevel - 1), Arg.Int4(suspects.LastChances),
            .. LevelArgs(lastChance + 1, suspects.Suspects > 0 ? suspect : lastChance), Arg.Int4(suspects.Suspects),
            .. LevelArgs(suspect + 1, LastLevel), Arg.Text(queue), Arg.Array(_kindsByPlace, NpgsqlDbType.Text),
        ];

        FaultPoints.Reach(FaultPoints.ClaimBeforeCommit);
        var answer = await ClaimAloneAsync(started, Args, cancellationToken).ConfigureAwait(false)
            ?? (await ReadAsync(ClaimSql.ClaimBesideOthers, Args(), cancellationToken).ConfigureAwait(false))!;
        if (answer.WentFor < 0)
        {
            store.Names.Forget(_names!);
            return null;
        }

        var (batch, taken) = (answer.Batch, answer.Taken);
        if (batch.NodeIsDead)
        {
            return batch;
        }

        if (batch.Fence != 0)
        {
            FaultPoints.Reach(FaultPoints.ClaimCommitted);
            store.Handed.Add(batch.Fence, [.. taken.Select(row => row.Id)]);
        }

        if (answer.WentFor > taken.Count)
        {
            // Another claimer was faster; there may be more after what it took, and the cursor stays before that.
            return batch with { NextDue = TimeSpan.Zero };
        }

        // Cut short for the size of its entries, the claim has had enough at the last one that it took.
        Advance(answer.IsCut ? taken.Count : limit, suspects, lastChance, suspect, taken, answer.Now);
        if (fromFront)
        {
            // The first one has the statement planned on its connection, which says nothing about the next.
            var first = _rescanned == 0;
            _rescanned = time.GetTimestamp();
            _rescanTook = first ? TimeSpan.Zero : time.GetElapsedTime(started, _rescanned);
        }

        return answer.IsCut ? batch with { NextDue = TimeSpan.Zero } : batch;
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
        if ((_rescanTook > LongRescan && since < _rescanTook * RescanShare) || (!_rewind && since < RescanInterval))
        {
            return false;
        }

        _rewind = false;
        _cursor.Rewind();
        return true;
    }

    private void Advance(int limit, SuspectAllowance suspects, int lastChance, int suspect, IReadOnlyList<(int Level, DateTime RunAt, long Id)> taken, DateTime now)
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

    // Null where another claimer is or was at it. What fails may have waited for a row too long: the next claim skips it.
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
            isAlone = answer is { WentFor: <= 0 } or { Taken.Count: > 0 };
            return isAlone ? answer : null;
        }
        finally
        {
            _metOthers = isAlone ? null : time.GetTimestamp();
        }
    }

    // Null where another claimer has its turn.
    private ValueTask<Answer?> ReadAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => database.ReadAsync(statement, args, ReadAnswerAsync, cancellationToken);

    private async ValueTask<Answer?> ReadAnswerAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reader.IsDBNull(15))
        {
            return new Answer(new ClaimBatch(true, 0, [], null), [], default, 0, IsCut: false);
        }

        if (reader.IsDBNull(18))
        {
            return null;
        }

        var (now, wentFor, isCut) = (reader.GetDateTime(17), (int)reader.GetInt64(18), reader.GetBoolean(20));
        if (reader.IsDBNull(16))
        {
            return new Answer(new ClaimBatch(false, 0, [], reader.IsDBNull(19) ? null : reader.GetTimeSpan(19)), [], now, wentFor, isCut);
        }

        var fence = reader.GetInt64(16);
        var (entries, taken) = (new List<ClaimedEntry>(wentFor), new List<(int Level, DateTime RunAt, long Id)>(wentFor));
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var (id, runAt) = (reader.GetInt64(0), reader.GetDateTime(2));
            taken.Add((reader.GetInt16(1), runAt, id));
            entries.Add(Read(reader, id, now - runAt));
        }

        return new Answer(new ClaimBatch(false, fence, entries, null), taken, now, wentFor, isCut);
    }

    // The claim is committed: an answer that can't be read would be released, claimed and not be read for ever. What something else than this library wrote ends as one entry.
    private ClaimedEntry Read(NpgsqlDataReader reader, long id, TimeSpan waited)
    {
        try
        {
            return ReadRow(reader, id, waited);
        }
        catch (Exception exception) when (exception is InvalidCastException or OverflowException or ArgumentException or FormatException or KeyNotFoundException)
        {
            return new ClaimedEntry
            {
                Id = id,
                Kind = _kindNames.GetValueOrDefault(reader.GetInt16(5), "unknown"),
                Priority = reader.GetInt16(6),
                Args = ReadOnlyMemory<byte>.Empty,
                Attempt = reader.GetInt16(3) + 1,
                MaxAttempts = reader.GetInt16(7),
                Crashes = reader.GetInt16(4),
                CreatedAt = DateTimeOffset.UnixEpoch,
                Waited = waited,
                HasUniqueKey = reader.GetBoolean(10),
                Problem = exception is KeyNotFoundException ? $"its kind has the number {reader.GetInt16(5)}, and it waited as another" : exception.Message,
            };
        }
    }

    private ClaimedEntry ReadRow(NpgsqlDataReader reader, long id, TimeSpan waited) => new()
    {
        Id = id,
        Attempt = reader.GetInt16(3) + 1,
        Crashes = reader.GetInt16(4),
        Waited = waited,
        Kind = _kindNames[reader.GetInt16(5)],
        Priority = reader.GetInt16(6),
        MaxAttempts = reader.GetInt16(7),
        CreatedAt = new DateTimeOffset(reader.GetDateTime(8)),
        Args = reader.GetFieldValue<byte[]>(9),
        HasUniqueKey = reader.GetBoolean(10),
        Timeout = reader.IsDBNull(11) ? null : reader.GetTimeSpan(11),
        Metadata = reader.IsDBNull(12) ? null : reader.GetString(12),
        TraceParent = reader.IsDBNull(13) ? null : reader.GetString(13),
        CancelRequested = reader.GetBoolean(14),
    };

    /// <param name="Batch">What the engine gets.</param>
    /// <param name="Taken">The places in line of what was taken.</param>
    /// <param name="Now">The database's time.</param>
    /// <param name="WentFor">How many were there before another claimer took some of them.</param>
    /// <param name="IsCut">Whether it left due entries for their size.</param>
    private sealed record Answer(ClaimBatch Batch, IReadOnlyList<(int Level, DateTime RunAt, long Id)> Taken, DateTime Now, long WentFor, bool IsCut);
}
