using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Lists and groups of entries.</content>
internal sealed partial class PostgreSqlMonitorStore
{
    public ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken)
        => _reads.ReadAsync(ListLimit, (connection, token) => ListAsync(connection, query, token), cancellationToken);

    public ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken)
        => _reads.ReadAsync(
            ListLimit,
            async (connection, token) =>
            {
                var bounded = query with { MaxExamined = new EntryConditions(query).ExaminedBy(by) };
                var (chosen, narrowed) = await EntrySearch.ChooseAsync(database, connection, bounded, startsAtTime: true, token)
                    .ConfigureAwait(false);
                if (chosen is not { } source)
                {
                    var oldest = await EntrySearch.FindOldestAsync(database, connection, token).ConfigureAwait(false);
                    return new EntryGroups([], oldest, IsComplete: true);
                }

                var groups = await database.ListAsync(
                    connection,
                    source.Group,
                    [.. EntrySearch.Conditions(narrowed), Arg.Int4((int)by)],
                    row => new EntryGroup(Key(row.StringOrNull(0), by), new Count(row.GetInt64(1))),
                    token).ConfigureAwait(false);
                var (edge, searchedBackTo) = await EntrySearch.FindEdgeAsync(
                    database, connection, source, narrowed, token).ConfigureAwait(false);
                return new EntryGroups(
                    edge is null ? groups : [.. groups.Select(
                        static group => group with { Entries = group.Entries with { Precision = CountPrecision.AtLeast } })],
                    searchedBackTo,
                    IsComplete: edge is null);
            },
            cancellationToken);

    /// <summary>Lists one page in the caller's transaction.</summary>
    internal async ValueTask<EntrySummaryPage> ListAsync(NpgsqlConnection connection, EntryQuery query, CancellationToken cancellationToken)
    {
        var (chosen, narrowed) = await EntrySearch.ChooseAsync(database, connection, query, startsAtTime: true, cancellationToken)
            .ConfigureAwait(false);
        if (chosen is not { } source)
        {
            var oldest = await EntrySearch.FindOldestAsync(database, connection, cancellationToken).ConfigureAwait(false);
            return new EntrySummaryPage([], null, oldest, IsComplete: true);
        }

        // Request one more entry than needed: if it is returned, there is another page.
        var found = await EntrySearch.ListAsync(
            database, connection, source, narrowed, query.Limit + 1, cancellationToken).ConfigureAwait(false);

        // The holder of a unique key is found at once, however old it is. It is on the first page, and on no other.
        var holders = query.UniqueKey is null
            ? []
            : await database.ListAsync(
                connection, EntryListSql.ListHolders, [.. EntrySearch.Conditions(query), Arg.Int8(query.Limit + 1)],
                EntrySearch.ReadPlace, cancellationToken).ConfigureAwait(false);
        found = [.. found.Except(holders)];
        holders = query.Before is null ? holders : [];
        var room = Math.Max(0, query.Limit - holders.Count);
        var page = await SummarizeAsync(connection, [.. holders, .. found.Take(room)], cancellationToken).ConfigureAwait(false);
        if (found.Count > room)
        {
            var (last, created) = room > 0 ? found[room - 1] : (query.Before ?? long.MaxValue, (DateTimeOffset?)null);
            return new EntrySummaryPage(page, last, created, IsComplete: false);
        }

        var (edge, searchedBackTo) = await EntrySearch.FindEdgeAsync(
            database, connection, source, narrowed, cancellationToken).ConfigureAwait(false);
        return new EntrySummaryPage(page, edge, searchedBackTo, IsComplete: edge is null);
    }

    private async ValueTask<IReadOnlyList<EntrySummary>> SummarizeAsync(
        NpgsqlConnection connection, List<(long Id, DateTimeOffset CreatedAt)> places, CancellationToken cancellationToken)
        => places.Count == 0
            ? []
            : await database.ListAsync(
                connection,
                OperatorSql.Read,
                [Arg.Array([.. places.Select(static place => place.Id)], NpgsqlDbType.Bigint), Arg.Bool(false)],
                static row => EntrySummaries.Of(PostgreSqlQueueStore.ReadEntry(row)),
                cancellationToken).ConfigureAwait(false);

    private static string Key(string? key, EntryGrouping by)
        => by == EntryGrouping.State
            && key is not null ? ((EntryState)int.Parse(key, System.Globalization.CultureInfo.InvariantCulture)).ToString() : key ?? "";
}
