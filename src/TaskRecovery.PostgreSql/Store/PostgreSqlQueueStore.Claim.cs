using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Claims, and what a node asks once a second.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // Looking at what waits is paid for with at most a twentieth of the time.
    private const int LookShare = 20;
    private static readonly TimeSpan LongLook = TimeSpan.FromMilliseconds(50);

    private long _looked;
    private TimeSpan _lookTook;

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds)
        => new PostgreSqlClaimer(this, _database, _time, nodeId, queue, kinds);

    public async ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken)
    {
        var known = await Names.LoadKindsAsync(request.Kinds, cancellationToken).ConfigureAwait(false);
        short[] kinds = [.. request.Kinds.Select(kind => (short)known[kind])];
        string[] queues = [.. request.Queues];
        var claims = request.Claims ?? await ListClaimsAsync(request.NodeId, cancellationToken).ConfigureAwait(false);
        var blind = _lookTook > LongLook && _time.GetElapsedTime(_looked) < _lookTook * LookShare;
        var started = _time.GetTimestamp();
        var (due, cancels, next) = (new List<string>(), new List<long>(), (TimeSpan?)null);
        await _database.ReadAsync(
            blind ? PollSql.PollBlind : PollSql.Poll,
            [Arg.Uuid(request.NodeId), Arg.Array(queues, NpgsqlDbType.Text), Arg.Array(kinds, NpgsqlDbType.Smallint), Arg.Array([.. claims], NpgsqlDbType.Bigint)],
            async (reader, token) =>
            {
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    switch (reader.GetInt32(0))
                    {
                        case 0:
                            due.Add(reader.GetString(1));
                            break;
                        case 1:
                            next = reader.IsDBNull(3) ? null : reader.GetTimeSpan(3);
                            break;
                        default:
                            cancels.Add(reader.GetInt64(2));
                            break;
                    }
                }

                return 0;
            },
            cancellationToken).ConfigureAwait(false);
        if (!blind)
        {
            (_looked, _lookTook) = (_time.GetTimestamp(), _time.GetElapsedTime(started));
        }

        var unknown = request.WithUnknownKinds ? await FindUnknownKindsAsync(request.NodeId, queues, kinds, cancellationToken).ConfigureAwait(false) : [];
        return new PollResult(due, next, cancels, unknown);
    }

    private ValueTask<IReadOnlyList<string>> FindUnknownKindsAsync(Guid nodeId, string[] queues, short[] kinds, CancellationToken cancellationToken)
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
