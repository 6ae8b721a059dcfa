using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Creates claimers, and answers the poll that a node sends once a second.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // If scanning the waiting rows is slow, it takes at most a twentieth of the time; other polls skip it.
    private const int ScanShare = 20;

    private volatile PausedKinds _paused = PausedKinds.None;
    private long _scanned;
    private TimeSpan _scanTook;

    /// <summary>How long a scan of a poll may take before other polls skip it; settable for tests.</summary>
    internal TimeSpan LongScan { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a claim that scans from the front may take before later ones resume where the last one stopped; settable for
    /// tests.</summary>
    internal TimeSpan LongRescan { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The kinds that are paused, as of the last poll of this process.</summary>
    internal PausedKinds Paused => _paused;

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds)
        => new PostgreSqlClaimer(this, _database, _time, nodeId, queue, kinds);

    public async ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
    {
        var paused = _paused;
        var result = await PollOnceAsync(request, cancellationToken).ConfigureAwait(false);

        // A poll asks for the kinds that were not paused before it. If that has changed, its answer misses the entries of a kind that was
        // resumed, and these may have become due long ago.
        return ReferenceEquals(paused, _paused)
            ? result
            : await PollOnceAsync(request with { OnlyRecent = false }, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<PollResult> PollOnceAsync(PollRequest request, CancellationToken cancellationToken)
    {
        return await PollByNumbersAsync(request, cancellationToken).ConfigureAwait(false)
            ?? await PollByNumbersAsync(request, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreUnavailableException(
                "The numbers of this node's kinds changed twice during a poll: the database is being restored or emptied.");
    }

    // Returns null if a kind's number no longer belongs to its name. Claimers and enqueues then resolve their names again too.
    private async ValueTask<PollResult?> PollByNumbersAsync(PollRequest request, CancellationToken cancellationToken)
    {
        string[] names = [.. request.Kinds];
        var known = await Names.ResolveAsync(names, [], cancellationToken).ConfigureAwait(false);
        var kinds = Array.ConvertAll(names, known.Kind);
        var (openKinds, openNames) = _paused.Remove(kinds, names);
        string[] queues = [.. request.Queues];
        var claims = request.Claims ?? await ListClaimsAsync(request.NodeId, cancellationToken).ConfigureAwait(false);
        var isKnown = true;
        var blind = !request.OnlyRecent && _scanTook > LongScan && _time.GetElapsedTime(_scanned) < _scanTook * ScanShare;
        var started = _time.GetTimestamp();
        var (due, cancels, paused, next) = (new List<string>(), new List<long>(), new List<short>(), (TimeSpan?)null);
        NpgsqlParameter[] args =
        [
            Arg.Uuid(request.NodeId), Arg.Array(queues, NpgsqlDbType.Text), Arg.Array(openKinds, NpgsqlDbType.Smallint),
            Arg.Array([.. claims], NpgsqlDbType.Bigint), Arg.Array(openNames, NpgsqlDbType.Text),
        ];
        await _database.ReadAsync(
            request.OnlyRecent ? PollSql.PollRecent : blind ? PollSql.PollBlind : PollSql.Poll,
            request.OnlyRecent || blind ? args : [.. args, Arg.Array<string>([.. request.LeftQueues], NpgsqlDbType.Text)],
            async (reader, token) =>
            {
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    switch (reader.GetInt32(0))
                    {
                        case PollRows.DueQueue:
                            due.Add(reader.GetString(1));
                            break;
                        case PollRows.NextDue:
                            next = reader.IsDBNull(3) ? null : reader.GetTimeSpan(3);
                            break;
                        case PollRows.CancelRequest:
                            cancels.Add(reader.GetInt64(2));
                            break;
                        case PollRows.WrongNumber:
                            isKnown = false;
                            break;
                        case PollRows.PausedKind:
                            paused.Add((short)reader.GetInt64(2));
                            break;
                    }
                }

                return 0;
            },
            cancellationToken).ConfigureAwait(false);
        if (!request.OnlyRecent && !blind)
        {
            (_scanned, _scanTook) = (_time.GetTimestamp(), _time.GetElapsedTime(started));
        }

        _paused = _paused.Update(paused);
        if (!isKnown)
        {
            Names.Forget(known);
            return null;
        }

        var unknown = request.WithUnknownKinds ? await FindUnknownKindsAsync(request.NodeId, queues, kinds, cancellationToken)
            .ConfigureAwait(false) : [];
        return new PollResult(due, next, cancels, unknown);
    }

    private ValueTask<IReadOnlyList<string>> FindUnknownKindsAsync(
        Guid nodeId, string[] queues, short[] kinds, CancellationToken cancellationToken)
        => _database.ReadAsync(
            PollSql.UnknownKinds,
            [Arg.Uuid(nodeId), Arg.Array(queues, NpgsqlDbType.Text), Arg.Array(kinds, NpgsqlDbType.Smallint)],
            async (reader, token) =>
            {
                var names = new List<string>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    names.Add(reader.GetString(0));
                }

                return (IReadOnlyList<string>)names;
            },
            cancellationToken);
}
