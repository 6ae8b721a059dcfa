using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>What is removed, and how much waits.</content>
internal sealed partial class PostgreSqlQueueStore
{
    // Large enough that a few of them a second keep up with any queue, small enough that no row is locked for long.
    private const int PurgeChunk = 5_000;

    private static readonly short[] FailedKinds = [(short)OutcomeKind.Failed];
    private static readonly short[] CancelledKinds = [(short)OutcomeKind.Cancelled, (short)OutcomeKind.Superseded];

    // Where each walk over the ended entries, oldest first, goes on; 0 starts a new one.
    private long _purgedCompleted;
    private long _purgedFailed;
    private long _purgedCancelled;

    public async ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken)
    {
        if (_purgedCompleted == 0)
        {
            await _database.ExecuteAsync(RetentionSql.PurgeRequests, [], cancellationToken).ConfigureAwait(false);
            await _database.ExecuteAsync(RetentionSql.PurgeNodes, [Arg.Int8(Microseconds(NodesStay(retention)))], cancellationToken).ConfigureAwait(false);
        }

        _purgedCompleted = await PurgeAsync(_purgedCompleted, retention.Completed, null, cancellationToken).ConfigureAwait(false);
        _purgedFailed = await PurgeAsync(_purgedFailed, retention.Failed, FailedKinds, cancellationToken).ConfigureAwait(false);
        _purgedCancelled = await PurgeAsync(_purgedCancelled, retention.Cancelled, CancelledKinds, cancellationToken).ConfigureAwait(false);
        return _purgedCompleted + _purgedFailed + _purgedCancelled > 0;
    }

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken)
        => _database.ReadAsync(
            OperatorSql.Measure,
            [],
            static async (reader, token) =>
            {
                var depths = new List<QueueDepth>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var age = reader.IsDBNull(2) ? 0 : Math.Max(0, reader.GetDouble(2));
                    depths.Add(new QueueDepth(reader.GetString(0), reader.GetInt64(1), TimeSpan.FromSeconds(age)));
                }

                return (IReadOnlyList<QueueDepth>)depths;
            },
            cancellationToken);

    // Looks at one chunk. Ids grow with time, nearly: where nothing in a chunk is old enough, nothing after it is worth a look now.
    private ValueTask<long> PurgeAsync(long after, TimeSpan kept, short[]? kinds, CancellationToken cancellationToken)
        => _database.ReadAsync(
            kinds is null ? RetentionSql.PurgeCompleted : RetentionSql.PurgeUnwell,
            kinds is null
                ? [Arg.Int8(after), Arg.Int8(PurgeChunk), Arg.Int8(Microseconds(kept))]
                : [Arg.Int8(after), Arg.Int8(PurgeChunk), Arg.Int8(Microseconds(kept)), Arg.Array(kinds, NpgsqlDbType.Smallint)],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.GetInt64(0) == 0 ? 0 : reader.GetInt64(1);
            },
            cancellationToken);

    // Outcomes show the name of their node as long as they stay.
    private static TimeSpan NodesStay(RetentionOptions retention)
        => new[] { TimeSpan.FromDays(1), retention.Completed, retention.Failed, retention.Cancelled }.Max();

    private static long Microseconds(TimeSpan span) => span.Ticks / TimeSpan.TicksPerMicrosecond;
}
