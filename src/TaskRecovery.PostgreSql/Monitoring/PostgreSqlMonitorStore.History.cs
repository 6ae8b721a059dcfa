using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Statistics and events.</content>
internal sealed partial class PostgreSqlMonitorStore
{
    public ValueTask<EventPage> ListEventsAsync(EventQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                var events = await ListEventsAsync(connection, query, token).ConfigureAwait(false);
                if (events.Count > query.Limit)
                {
                    return new EventPage(events[..query.Limit], events[query.Limit - 1].Id);
                }

                var edge = await database.ListAsync(
                    connection,
                    EventSql.Edge,
                    [
                        Arg.Int8(query.Before ?? long.MaxValue), Arg.Int8(query.After ?? 0), Arg.Int8(query.EntryId),
                        Arg.Int8(query.MaxExamined),
                    ],
                    EntrySearch.ReadPlace,
                    token).ConfigureAwait(false);
                return edge is [var (id, at)] ? new EventPage(events, id) { SearchedBackTo = at } : new EventPage(events, null);
            },
            cancellationToken);

    public ValueTask<IReadOnlyList<StatisticsRow>> ReadStatisticsAsync(
        ThroughputQuery query, bool byHour, CancellationToken cancellationToken)
        => _reads.ReadAsync<IReadOnlyList<StatisticsRow>>(
            ListLimit,
            async (connection, token) => await database.ListAsync(
                connection,
                StatisticsSql.Read,
                [Arg.Bool(byHour), Arg.Time(query.From), Arg.Time(query.To),
                    Arg.Text(query.Queue), Arg.Text(query.Kind), Arg.Int4((int)query.By)],
                static row => new StatisticsRow(
                    row.Time(0), row.StringOrNull(1) ?? "", row.StringOrNull(2) ?? "", ReadTotals(row, 3)),
                token).ConfigureAwait(false),
            cancellationToken);

    // Counts may be lost in a crash of the server, so their commit does not wait for the disk.
    public async ValueTask AddStatisticsAsync(IReadOnlyList<StatisticsCount> counts, CancellationToken cancellationToken)
        => await database.SendAsync(
            StatisticsSql.Add,
            [
                Arg.Array([.. counts.Select(static count => count.Queue)], NpgsqlDbType.Text),
                Arg.Array([.. counts.Select(static count => count.Kind)], NpgsqlDbType.Text),
                Column(counts, static totals => totals.Enqueued),
                Column(counts, static totals => totals.Completed),
                Column(counts, static totals => totals.Failed),
                Column(counts, static totals => totals.Cancelled),
                Column(counts, static totals => totals.Retried),
                Column(counts, static totals => totals.Snoozed),
                Column(counts, static totals => totals.Released),
                Column(counts, static totals => totals.Lost),
                Column(counts, static totals => (long)totals.RunTime.TotalMilliseconds),
                Column(counts, static totals => (long)totals.WaitTime.TotalMilliseconds),
            ],
            cancellationToken).ConfigureAwait(false);

    // The events last: a role may lack the right to call the function that removes them, and the counts must not grow for that.
    public async ValueTask<bool> CondenseAsync(CancellationToken cancellationToken)
    {
        var counts = await CountAsync(StatisticsSql.Remove, cancellationToken).ConfigureAwait(false);
        var events = await CountAsync(EventSql.Remove, cancellationToken).ConfigureAwait(false);
        return events > 0 || counts > 0;
    }

    // One event more than the limit shows whether there is another page.
    private async ValueTask<List<QueueEvent>> ListEventsAsync(
        NpgsqlConnection connection, EventQuery query, CancellationToken cancellationToken)
        => await database.ListAsync(
            connection,
            EventSql.List,
            [
                Arg.Int8(query.Before ?? long.MaxValue), Arg.Int8(query.After ?? 0), Kinds(query.Kinds),
                Arg.Int8(query.EntryId), Arg.Text(query.Node), Arg.Text(query.Actor),
                Arg.Int8(query.OperationId), Arg.Int8(query.Limit + 1), Arg.Int8(query.MaxExamined),
            ],
            ReadEvent,
            cancellationToken).ConfigureAwait(false);

    private ValueTask<long> CountAsync(string statement, CancellationToken cancellationToken)
        => database.ReadAsync(
            statement,
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return reader.GetInt64(0);
            },
            cancellationToken);

    private static QueueEvent ReadEvent(NpgsqlDataReader row) => new()
    {
        Id = row.GetInt64(0),
        At = row.Time(1),
        Kind = (QueueEventKind)row.GetInt16(2),
        Node = row.StringOrNull(3),
        EntryId = row.Int64OrNull(4),
        Subject = row.StringOrNull(5),
        OperationId = row.Int64OrNull(6),
        Entries = row.Int64OrNull(7),
        Detail = row.StringOrNull(8),
        Actor = row.StringOrNull(9),
        Reason = row.StringOrNull(10),
        Tool = row.StringOrNull(11),
        SessionUser = row.StringOrNull(12),
    };

    private static EntryTotals ReadTotals(NpgsqlDataReader row, int first)
    {
        long At(int column) => row.IsDBNull(first + column) ? 0 : row.GetInt64(first + column);
        return new EntryTotals
        {
            Enqueued = At(0),
            Completed = At(1),
            Failed = At(2),
            Cancelled = At(3),
            Retried = At(4),
            Snoozed = At(5),
            Released = At(6),
            Lost = At(7),
            RunTime = TimeSpan.FromMilliseconds(At(8)),
            WaitTime = TimeSpan.FromMilliseconds(At(9)),
        };
    }

    private static NpgsqlParameter Column(IReadOnlyList<StatisticsCount> counts, Func<EntryTotals, long> value)
        => Arg.Array([.. counts.Select(count => value(count.Totals))], NpgsqlDbType.Bigint);

    private static NpgsqlParameter Kinds(IReadOnlyCollection<QueueEventKind>? kinds)
        => new()
        {
            Value = kinds is null or { Count: 0 } ? DBNull.Value : kinds.Select(static kind => (short)kind).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint,
        };
}
