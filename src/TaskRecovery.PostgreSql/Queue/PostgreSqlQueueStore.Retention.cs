using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Removes expired data, and measures the queues.</content>
internal sealed partial class PostgreSqlQueueStore
{
    private static readonly TimeSpan LongestWithoutTurn = TimeSpan.FromHours(1);

    private readonly HistoryWalk _ended = new();
    private readonly HistoryWalk _unwell = new();

    // Tasks without an entry are rare, so each round scans only the next chunk of all tasks.
    private Guid _lastTask;
    private bool _walksTasks;
    private bool _missedTurn;

    private bool IsPurging => _walksTasks || !_ended.IsResting || !_unwell.IsResting;

    public async ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        if (!IsPurging)
        {
            await _database.ExecuteAsync(RetentionSql.PurgeRequests, [], cancellationToken).ConfigureAwait(false);
            await _database.ExecuteAsync(
                RetentionSql.PurgeNodes, [Arg.Micros(NodeRules.DeadNodesStay(retention))], cancellationToken).ConfigureAwait(false);
            await _database.ExecuteAsync(RetentionSql.PurgeHeartbeats, [], cancellationToken).ConfigureAwait(false);
            _ended.Begin();
            _unwell.Begin();
            _walksTasks = true;
        }

        await WalkAsync(_ended, RetentionSql.PurgeEnded, retention, retention.Completed, cancellationToken).ConfigureAwait(false);
        await WalkAsync(
            _unwell, RetentionSql.PurgeUnwell, retention,
            retention.Failed < retention.Cancelled ? retention.Failed : retention.Cancelled, cancellationToken).ConfigureAwait(false);
        if (_walksTasks)
        {
            _walksTasks = await PurgeTasksAsync(retention, cancellationToken).ConfigureAwait(false);
        }

        if (_missedTurn)
        {
            _missedTurn = false;
            await RequireTurnsAsync(retention, cancellationToken).ConfigureAwait(false);
        }

        return await ExpireAsync(retention, cancellationToken).ConfigureAwait(false) || IsPurging;
    }

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken)
        => _database.ReadAsync(
            OperatorSql.Measure,
            [Arg.Int8(MonitorLimits.Queues), Arg.Int8(MonitorLimits.Lanes)],
            static async (reader, token) =>
            {
                var depths = new List<QueueDepth>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var age = reader.IsDBNull(2) ? 0 : Math.Max(0, reader.GetDouble(2));
                    depths.Add(new QueueDepth(reader.GetString(0), reader.GetInt64(1), TimeSpan.FromSeconds(age))
                    {
                        QueuesSkipped = reader.GetInt64(3),
                    });
                }

                return (IReadOnlyList<QueueDepth>)depths;
            },
            cancellationToken);

    private async ValueTask<bool> ExpireAsync(RetentionOptions retention, CancellationToken cancellationToken)
        => retention.Due is { } longest && await _database.ReadAsync(
            RetentionSql.Expire,
            [Arg.Micros(longest), Arg.Text(EndReasons.Expired), Arg.Int8(HistoryWalk.Worthwhile)],
            static async (reader, token)
                => await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetInt64(0) == HistoryWalk.Worthwhile,
            cancellationToken).ConfigureAwait(false);

    private async Task WalkAsync(
        HistoryWalk walk, string statement, RetentionOptions retention, TimeSpan youngest, CancellationToken cancellationToken)
    {
        if (walk.IsResting)
        {
            return;
        }

        await _database.ReadAsync(
            statement,
            [Arg.Int8(walk.After), .. Limits(retention), Arg.Micros(youngest)],
            async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                if (reader.GetBoolean(0))
                {
                    walk.GoOn(reader.GetInt64(1), reader.GetInt64(2), reader.GetBoolean(3));
                }
                else
                {
                    walk.Rest();
                    _missedTurn = true;
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    // A missed turn usually means that another node has it. If no node had it for this long, a session that removes nothing holds the row.
    private async Task RequireTurnsAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        var age = await _database.ReadAsync(
            RetentionSql.LastTurn,
            [],
            static async (reader, token)
                => await reader.ReadAsync(token).ConfigureAwait(false) ? TimeSpan.FromSeconds(reader.GetDouble(0)) : TimeSpan.MaxValue,
            cancellationToken).ConfigureAwait(false);
        if (age > LongestWithoutTurn && age > retention.Interval * 2)
        {
            throw new StoreUnavailableException(
                age == TimeSpan.MaxValue
                    ? $"Nothing is removed any more: table 'turns' in schema '{_database.SchemaName}' has no row 'retention'. Insert it."
                    : $"Nothing has been removed for {age.TotalHours:0.#} hours: a session that does not remove anything holds the row "
                        + "'retention' of table "
                        + $"'turns' in schema '{_database.SchemaName}'. Find it in pg_locks and pg_stat_activity, and end it.");
        }
    }

    private ValueTask<bool> PurgeTasksAsync(RetentionOptions retention, CancellationToken cancellationToken)
        => _database.ReadAsync(
            RetentionSql.PurgeTasks,
            [Arg.Uuid(_lastTask), .. Limits(retention)],
            async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                var isEnd = reader.GetBoolean(3);
                if (reader.GetBoolean(0))
                {
                    _lastTask = isEnd ? Guid.Empty : reader.GetGuid(1);
                }

                return !isEnd && reader.GetInt64(2) >= HistoryWalk.Worthwhile;
            },
            cancellationToken);

    // The number of rows to scan, and the retention times.
    private static NpgsqlParameter[] Limits(RetentionOptions retention) =>
    [
        Arg.Int8(HistoryWalk.Chunk),
        Arg.Micros(retention.Completed),
        Arg.Micros(retention.Failed),
        Arg.Micros(retention.Cancelled),
    ];

}
