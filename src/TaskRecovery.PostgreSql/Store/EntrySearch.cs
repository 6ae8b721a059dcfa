using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Chooses where a search for entries looks, and builds its parameters.</summary>
internal static class EntrySearch
{
    /// <summary>Chooses where to look.</summary>
    internal static async ValueTask<Source> ChooseAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, CancellationToken cancellationToken)
    {
        var conditions = new EntryConditions(query);
        if (conditions.AreUnwell)
        {
            return new Source(
                EntryListSql.ListUnwell, EntryListSql.GroupUnwell, EntryListSql.EdgeUnwell, EntryListSql.ListUnwellAndEdge);
        }

        if (conditions.AreRunning)
        {
            return new Source(EntryListSql.ListRunning, EntryListSql.GroupRunning, null, null);
        }

        if (conditions.AreWaiting)
        {
            // Waiting rows have no order by id: if there are too many to read all of them, search from the newest entry on.
            var exceeds = await database.ListAsync(
                connection, EntryListSql.WaitingExceeds, [Arg.Int8(query.LookAtMost)],
                static row => row.GetBoolean(0), cancellationToken).ConfigureAwait(false);
            if (!exceeds[0])
            {
                return new Source(EntryListSql.ListWaiting, EntryListSql.GroupWaiting, null, null);
            }
        }

        return new Source(EntryListSql.List, EntryListSql.Group, EntryListSql.Edge, EntryListSql.ListAndEdge);
    }

    /// <summary>Finds one page, newest first, and where the next one begins.</summary>
    /// <remarks>For statements in the caller's transaction, which plans each of them for its values.</remarks>
    internal static async ValueTask<(long[] Ids, long? Next)> FindPageAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, CancellationToken cancellationToken)
    {
        // Request one more entry than needed: if it is returned, there is another page.
        var (found, edge) = await FindAsync(database, connection, query, query.Limit + 1, cancellationToken).ConfigureAwait(false);
        long[] ids = [.. found.Take(query.Limit)];
        return (ids, found.Count > query.Limit ? ids[^1] : edge);
    }

    /// <summary>Finds entries, newest first. If these are fewer than requested, also how far the search has looked: the last entry that it
    /// examined, or nothing if it has examined all.</summary>
    /// <remarks>Also for transactions in which each statement has a snapshot of its own.</remarks>
    internal static async ValueTask<(List<long> Ids, long? Edge)> FindAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, int limit, CancellationToken cancellationToken)
    {
        var source = await ChooseAsync(database, connection, query, cancellationToken).ConfigureAwait(false);

        // A source without an edge is examined as a whole, even if it has grown since it was chosen.
        var examined = source.ListAndEdge is null ? query with { LookAtMost = int.MaxValue } : query;
        var rows = await database.ListAsync(
            connection,
            source.ListAndEdge ?? source.List,
            [.. Conditions(examined), Arg.Int8(limit)],
            row => (Place: ReadPlace(row), IsEdge: source.ListAndEdge is not null && row.GetBoolean(2)),
            cancellationToken).ConfigureAwait(false);
        List<long> ids = [.. rows.Where(static row => !row.IsEdge).Select(static row => row.Place.Id).OrderDescending()];
        var edge = rows.FindIndex(static row => row.IsEdge);
        return (ids, edge >= 0 && !new EntryConditions(query).EndsBefore(rows[edge].Place.CreatedAt) ? rows[edge].Place.Id : null);
    }

    /// <summary>Which of some entries match now.</summary>
    internal static async ValueTask<long[]> MatchAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, long[] ids, CancellationToken cancellationToken)
        => [.. await database.ListAsync(
            connection, EntryListSql.Matching, [.. Conditions(query), Arg.Array(ids, NpgsqlDbType.Bigint)],
            static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false)];

    /// <summary>How far a search that found too few entries has looked: the last entry that it examined, or nothing if it has examined
    /// all.</summary>
    internal static async ValueTask<(long? Edge, DateTimeOffset? SearchedBackTo)> FindEdgeAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, Source source, EntryQuery query, CancellationToken cancellationToken)
    {
        var edge = source.Edge is null
            ? []
            : await database.ListAsync(
                connection, source.Edge, [Arg.Int8(query.Before ?? long.MaxValue), Arg.Int8(query.LookAtMost)],
                ReadPlace, cancellationToken).ConfigureAwait(false);
        if (edge is [var (id, created)] && !new EntryConditions(query).EndsBefore(created))
        {
            return (id, created);
        }

        var oldest = await database.ListAsync(connection, EntryListSql.Oldest, [], ReadPlace, cancellationToken).ConfigureAwait(false);
        return (null, oldest is [var (_, first)] ? first : null);
    }

    /// <summary>Reads an id and a time of storing.</summary>
    internal static (long Id, DateTimeOffset CreatedAt) ReadPlace(NpgsqlDataReader row)
        => (row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1));

    /// <summary>The common parameters of <see cref="EntryListSql"/>.</summary>
    internal static NpgsqlParameter[] Conditions(EntryQuery query)
    {
        var conditions = new EntryConditions(query);
        return
        [
            Arg.Int8(query.Before ?? long.MaxValue),
            Arg.Int8(query.LookAtMost),
            Arg.Text(query.Queue),
            Arg.Text(conditions.Kind),
            Arg.Text(conditions.KindPrefix),
            Numbers(conditions.States),
            Arg.Text(query.Reason),
            Arg.Text(query.Node),
            Arg.Text(conditions.Job),
            Arg.Text(query.UniqueKey),
            Arg.Time(query.CreatedFrom),
            Arg.Time(query.CreatedTo),
            Arg.Time(query.EndedFrom),
            Arg.Time(query.EndedTo),
            Arg.Text(conditions.Metadata),
            Arg.Text(query.Text),
            Arg.Text(conditions.EscapedText),
            Names(query.Scope?.Queues),
            Names(query.Scope?.Kinds),
            Arg.Text(conditions.ScopeMetadata),
            Arg.Text(conditions.Trace),
        ];
    }

    private static NpgsqlParameter Numbers(EntryState[]? states)
        => new()
        {
            Value = states is null ? DBNull.Value : states.Select(static state => (short)state).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint,
        };

    private static NpgsqlParameter Names(IReadOnlyCollection<string>? names)
        => new() { Value = names is null ? DBNull.Value : names.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    /// <summary>Where a search finds the entries that it examines.</summary>
    /// <param name="List">The statement of a list.</param>
    /// <param name="Group">The statement of groups.</param>
    /// <param name="Edge">How far a search looks; <see langword="null"/> if it always examines everything.</param>
    /// <param name="ListAndEdge">Both in one statement.</param>
    internal sealed record Source(string List, string Group, string? Edge, string? ListAndEdge);
}
