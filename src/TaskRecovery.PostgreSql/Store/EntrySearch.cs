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
            return new Source(EntryListSql.ListUnwell, EntryListSql.GroupUnwell, EntryListSql.EdgeUnwell);
        }

        if (conditions.AreRunning)
        {
            return new Source(EntryListSql.ListRunning, EntryListSql.GroupRunning, null);
        }

        if (conditions.AreWaiting)
        {
            // Waiting rows have no order by id: if there are too many to read all of them, search from the newest entry on.
            var exceeds = await database.ListAsync(
                connection, EntryListSql.WaitingExceeds, [Arg.Int8(query.LookAtMost)],
                static row => row.GetBoolean(0), cancellationToken).ConfigureAwait(false);
            if (!exceeds[0])
            {
                return new Source(EntryListSql.ListWaiting, EntryListSql.GroupWaiting, null);
            }
        }

        return new Source(EntryListSql.List, EntryListSql.Group, EntryListSql.Edge);
    }

    /// <summary>Finds one page, newest first, and where the next one begins.</summary>
    /// <remarks>For statements in the caller's transaction, which plans each of them for its values.</remarks>
    internal static async ValueTask<(long[] Ids, long? Next)> FindPageAsync(
        PostgreSqlDatabase database, NpgsqlConnection connection, EntryQuery query, CancellationToken cancellationToken)
    {
        var source = await ChooseAsync(database, connection, query, cancellationToken).ConfigureAwait(false);

        // Request one more entry than needed: if it is returned, there is another page.
        var found = await database.ListAsync(
            connection, source.List, [.. Conditions(query), Arg.Int8(query.Limit + 1)], ReadPlace, cancellationToken).ConfigureAwait(false);
        long[] ids = [.. found.Take(query.Limit).Select(static place => place.Id)];
        return found.Count > query.Limit
            ? (ids, ids[^1])
            : (ids, (await FindEdgeAsync(database, connection, source, query, cancellationToken).ConfigureAwait(false)).Edge);
    }

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
    internal sealed record Source(string List, string Group, string? Edge);
}
