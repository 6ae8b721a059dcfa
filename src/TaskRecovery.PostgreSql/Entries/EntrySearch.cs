using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Chooses where a search for entries looks, and builds its parameters.</summary>
internal static class EntrySearch
{
    // So many index entries are read in about half a second.
    private const int MostWaiting = 2_000_000;

    // The arguments that one search reads: about 100 ms.
    private const long MostBytes = 32 * 1024 * 1024;

    // What many entries match fills a page with the newest of them.
    private const int ExamineFirst = 2_000;

    private static readonly Source All = new(
        EntryListSql.List, EntryListSql.Group, EntryListSql.Edge, EntryListSql.ListAndEdge, EntryListSql.WithinBytes.OfAll);

    private static readonly Source Unwell = new(
        EndedListSql.ListUnwell, EndedListSql.GroupUnwell, EndedListSql.EdgeUnwell, EndedListSql.ListUnwellAndEdge,
        EndedListSql.WithinBytes.OfUnwell);

    private static readonly Source Ended = new(
        EndedListSql.List, EndedListSql.Group, EndedListSql.Edge, EndedListSql.ListAndEdge, EndedListSql.WithinBytes.OfEnded);

    // This sorts what it examines before it finds the first entry.
    private static readonly Source EndedOrRunning = Ended with
    {
        List = EndedListSql.ListWithRunning,
        Group = EndedListSql.GroupWithRunning,
        ListAndEdge = EndedListSql.ListWithRunningAndEdge,
        First = EndedListSql.ListWithRunning,
    };

    private static readonly Source Waiting = new(
        EntryListSql.ListWaiting, EntryListSql.GroupWaiting, EntryListSql.EdgeWaiting, EntryListSql.ListWaitingAndEdge,
        EntryListSql.WithinBytes.OfWaiting);

    private static readonly Source Running = new(
        EntryListSql.ListRunning, EntryListSql.GroupRunning, EntryListSql.EdgeRunning, EntryListSql.ListRunningAndEdge,
        EntryListSql.WithinBytes.OfRunning);

    private static readonly Source Active = new(
        EntryListSql.ListActive, EntryListSql.GroupActive, EntryListSql.EdgeActive, EntryListSql.ListActiveAndEdge,
        EntryListSql.WithinBytes.OfActive);

    // This examines the same range of entries as a search of all, but fewer of the entries themselves.
    private static readonly Source OfNode = All with
    {
        List = EntryListSql.ListOfNode,
        Group = EntryListSql.GroupOfNode,
        ListAndEdge = EntryListSql.ListOfNodeAndEdge,
        First = EntryListSql.List,
    };

    /// <summary>Chooses where to look. <c>startsAtTime</c> trusts that ids grow with the time of storing: after a wrong clock, entries are
    /// missed. So a search for entries that are to be changed does not start at a time.</summary>
    /// <returns>Where, or nothing if no entry can match; and the query, restricted to where its entries may be and to what may be
    /// read.</returns>
    internal static async ValueTask<(Source? Source, EntryQuery Query)> ChooseAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, bool startsAtTime, CancellationToken cancellationToken)
    {
        var conditions = new EntryConditions(query);
        if (SourceFor(query, conditions) is not { } source)
        {
            return (null, query);
        }

        if (query.Node is { } node && !(await database.ListAsync(
            connection, EntryListSql.HasNode, [Arg.Text(node)], static row => row.GetBoolean(0), cancellationToken)
            .ConfigureAwait(false))[0])
        {
            return (null, query);
        }

        if (startsAtTime)
        {
            query = await StartAsync(database, connection, query, conditions, cancellationToken).ConfigureAwait(false);
        }

        if (conditions.AreActive)
        {
            source = await ChooseActiveAsync(database, connection, source, query, conditions, cancellationToken).ConfigureAwait(false);
        }

        return (source, await BoundBytesAsync(database, connection, source, query, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Where the entries that a query can match are found with the least work, if not too many entries wait.</summary>
    /// <returns>Nothing if no entry can match.</returns>
    internal static Source? SourceFor(EntryQuery query, EntryConditions conditions)
        => conditions.AreNone ? null
            : conditions.AreUnwell ? Unwell
            : conditions.AreRunning ? Running
            : conditions.AreWaiting ? Waiting
            : conditions.AreActive ? Active
            : conditions.AreEnded ? Ended
            : conditions.AreNotWaiting ? EndedOrRunning
            : query.Node is not null ? OfNode
            : All;

    // Entries that were stored, or ended, before a time are older than the first one that was stored after it.
    private static async ValueTask<EntryQuery> StartAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, EntryConditions conditions,
        CancellationToken cancellationToken)
    {
        if (conditions.StoredBefore is not { } end)
        {
            return query;
        }

        var first = await database.ListAsync(
            connection, EntryListSql.FirstStored, [Arg.Time(end)], static row => row.GetInt64(0), cancellationToken).ConfigureAwait(false);
        return first is [var id] && !(query.Before <= id) ? query with { Before = id } : query;
    }

    // A text is searched in arguments of any length.
    private static async ValueTask<EntryQuery> BoundBytesAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, Source source, EntryQuery query, CancellationToken cancellationToken)
    {
        if (query.Text is null)
        {
            return query;
        }

        // Other sources look up each entry, its length and then its arguments.
        if (source.WithinBytes != All.WithinBytes)
        {
            query = query with { MaxExamined = Math.Min(query.MaxExamined, MonitorLimits.LookedUp) };
        }

        var within = await database.ListAsync(
            connection, source.WithinBytes, [.. Conditions(query), Arg.Int8(MostBytes)], static row => row.GetInt64(0), cancellationToken)
            .ConfigureAwait(false);
        return query with { MaxExamined = (int)Math.Clamp(within[0], 1, query.MaxExamined) };
    }

    // Waiting rows have no order by id, so all of them are read. If they are too many for that, search from the newest entry on: most of
    // the newest entries wait then.
    private static async ValueTask<Source> ChooseActiveAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, Source source, EntryQuery query, EntryConditions conditions,
        CancellationToken cancellationToken)
    {
        var (waiting, claimed) = (await database.ListAsync(
            connection, EntryListSql.CountActive, [Arg.Int8(conditions.AreRunning ? 0 : MostWaiting)],
            static row => (row.GetInt64(0), row.GetInt64(1)), cancellationToken).ConfigureAwait(false))[0];
        if (waiting >= MostWaiting)
        {
            return All;
        }

        var examined = waiting + (conditions.AreWaiting ? 0 : claimed);
        return examined > query.MaxExamined || query.Text is not null ? source : source with { Edge = null, ListAndEdge = null };
    }

    /// <summary>Lists entries, newest first.</summary>
    internal static async ValueTask<List<(long Id, DateTimeOffset CreatedAt)>> ListAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, Source source, EntryQuery query, int limit,
        CancellationToken cancellationToken)
    {
        if (source.First is { } first && query.MaxExamined > ExamineFirst)
        {
            var near = await database.ListAsync(
                connection, first, [.. Conditions(query with { MaxExamined = ExamineFirst }), Arg.Int8(limit)], ReadPlace,
                cancellationToken).ConfigureAwait(false);
            if (near.Count >= limit)
            {
                return near;
            }
        }

        return await database.ListAsync(
            connection, source.List, [.. Conditions(query), Arg.Int8(limit)], ReadPlace, cancellationToken).ConfigureAwait(false);
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
        var (chosen, narrowed) = await ChooseAsync(database, connection, query, startsAtTime: false, cancellationToken)
            .ConfigureAwait(false);
        if (chosen is not { } source)
        {
            return ([], null);
        }

        // A source without an edge is examined as a whole, even if it has grown since it was chosen.
        var examined = source.ListAndEdge is null ? narrowed with { MaxExamined = int.MaxValue } : narrowed;
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
                connection, source.Edge, [Arg.Int8(query.Before ?? long.MaxValue), Arg.Int8(query.MaxExamined)],
                ReadPlace, cancellationToken).ConfigureAwait(false);
        return edge is [var (id, created)] && !new EntryConditions(query).EndsBefore(created)
            ? (id, created)
            : (null, await FindOldestAsync(database, connection, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>When the first entry that is still stored was stored.</summary>
    internal static async ValueTask<DateTimeOffset?> FindOldestAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var oldest = await database.ListAsync(connection, EntryListSql.Oldest, [], ReadPlace, cancellationToken).ConfigureAwait(false);
        return oldest is [var (_, first)] ? first : null;
    }

    /// <summary>Reads an id and a time of storing.</summary>
    internal static (long Id, DateTimeOffset CreatedAt) ReadPlace(NpgsqlDataReader row)
        => (row.GetInt64(0), row.Time(1));

    /// <summary>The common parameters of <see cref="EntryListSql"/>.</summary>
    internal static NpgsqlParameter[] Conditions(EntryQuery query)
    {
        var conditions = new EntryConditions(query);
        return
        [
            Arg.Int8(query.Before ?? long.MaxValue),
            Arg.Int8(query.MaxExamined),
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
            Arg.Names(query.Scope?.Queues),
            Arg.Names(query.Scope?.Kinds),
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

    /// <summary>Where a search finds the entries that it examines.</summary>
    /// <param name="List">The statement of a list.</param>
    /// <param name="Group">The statement of groups.</param>
    /// <param name="Edge">How far a search looks; <see langword="null"/> if it always examines everything.</param>
    /// <param name="ListAndEdge">Both in one statement.</param>
    /// <param name="WithinBytes">How many of the entries have arguments that a search may read.</param>
    internal sealed record Source(string List, string Group, string? Edge, string? ListAndEdge, string WithinBytes)
    {
        /// <summary>The statement that finds as many as a page needs among the newest entries, if many entries match;
        /// <see langword="null"/> if <see cref="List"/> stops at a full page too.</summary>
        public string? First { get; init; }
    }
}
