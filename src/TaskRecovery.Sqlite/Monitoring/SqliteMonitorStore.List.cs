using System.Text.Json;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Lists and groups of entries.</content>
internal sealed partial class SqliteMonitorStore
{
    /// <summary>How many entries one read examines, so that it takes well below 250 ms.</summary>
    internal const int Chunk = 10_000;

    // SQLite has no time limit, but a reader that examines entry by entry can stop.
    private static readonly TimeSpan LongestSearch = TimeSpan.FromSeconds(3);

    // Long arguments make a chunk slow.
    private static readonly TimeSpan LongestRead = TimeSpan.FromMilliseconds(200);

    public ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, CancellationToken cancellationToken)
        => ListAsync(query, isForPerson: true, cancellationToken);

    /// <summary>Lists one page.</summary>
    /// <param name="query">The query.</param>
    /// <param name="isForPerson">Whether a person looks: the holder of a unique key is on the first page only, and the search starts at
    /// the times of the query.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    internal async ValueTask<EntrySummaryPage> ListAsync(EntryQuery query, bool isForPerson, CancellationToken cancellationToken)
    {
        if (await NarrowAsync(query, startsAtTime: isForPerson, cancellationToken).ConfigureAwait(false) is not { } narrowed)
        {
            return new EntrySummaryPage([], null, await OldestAsync(cancellationToken).ConfigureAwait(false), IsComplete: true);
        }

        var (holders, heldIds) = isForPerson ? await FindHoldersAsync(query, cancellationToken).ConfigureAwait(false) : ([], []);
        var room = query.Limit - holders.Count;
        var search = new Search(narrowed, by: null);
        var found = new List<EntrySummary>();
        var isFull = await SearchAsync(
            search, page => found.AddRange(page.Where(entry => !heldIds.Contains(entry.Id))),
            () => found.Count >= room, cancellationToken).ConfigureAwait(false);
        EntrySummary[] entries = [.. holders.Concat(found.Take(room)).OrderByDescending(static entry => entry.Id)];
        if (found.Count > room)
        {
            var last = room > 0 ? found[room - 1] : null;
            return new EntrySummaryPage(entries, last?.Id ?? query.Before ?? long.MaxValue, last?.CreatedAt, IsComplete: false);
        }

        return isFull || search.Last is not null
            ? new EntrySummaryPage(entries, search.Last ?? query.Before ?? long.MaxValue, search.SearchedBackTo, IsComplete: false)
            : new EntrySummaryPage(entries, null, await OldestAsync(cancellationToken).ConfigureAwait(false), IsComplete: true);
    }

    public async ValueTask<EntryGroups> GroupAsync(EntryQuery query, EntryGrouping by, CancellationToken cancellationToken)
    {
        var bounded = query with { MaxExamined = new EntryConditions(query).ExaminedBy(by) };
        if (await NarrowAsync(bounded, startsAtTime: true, cancellationToken).ConfigureAwait(false) is not { } narrowed)
        {
            return new EntryGroups([], await OldestAsync(cancellationToken).ConfigureAwait(false), IsComplete: true);
        }

        var search = new Search(narrowed, by);
        await SearchAsync(search, static _ => { }, static () => false, cancellationToken).ConfigureAwait(false);
        var precision = search.Last is null ? CountPrecision.Exact : CountPrecision.AtLeast;
        var groups = await ReadAsync(
            session => search.Groups.Select(group => new EntryGroup(Name(session, group.Key, by), new Count(group.Value, precision)))
                .OrderByDescending(static group => group.Entries.Value).ThenBy(static group => group.Key, StringComparer.Ordinal).ToArray(),
            cancellationToken).ConfigureAwait(false);
        return new EntryGroups(
            groups, search.Last is null ? await OldestAsync(cancellationToken).ConfigureAwait(false) : search.SearchedBackTo,
            IsComplete: search.Last is null);
    }

    // Restricts a query to where its entries may be. Returns null if no entry can match. To start at the times of the query is to trust
    // that ids grow with the time of storing: after a wrong clock entries are missed, so what changes entries does not.
    private async ValueTask<EntryQuery?> NarrowAsync(EntryQuery query, bool startsAtTime, CancellationToken cancellationToken)
    {
        var conditions = new EntryConditions(query);
        if (conditions.AreNone)
        {
            return null;
        }

        var end = startsAtTime ? conditions.StoredBefore : null;
        return query.Node is null && end is null
            ? query
            : await ReadAsync(
                session => query.Node is { } node && Nodes(session, node) is null or "[]" ? null
                    : end is { } time && EntryRange.FirstStored(session, Micros.From(time)) is { } first && !(query.Before <= first)
                        ? query with { Before = first }
                        : query,
                cancellationToken).ConfigureAwait(false);
    }

    // The holder of a unique key is found at once, however old it is. It is on the first page, and on no other.
    private async ValueTask<(List<EntrySummary> OnThisPage, long[] Ids)> FindHoldersAsync(
        EntryQuery query, CancellationToken cancellationToken)
    {
        if (query.UniqueKey is not { } key
            || await ReadAsync(session => session.Get(EntryListSql.Holders).Bind(1, key).ScalarText(), cancellationToken)
                .ConfigureAwait(false) is not { } ids)
        {
            return ([], []);
        }

        var found = query.Before is not null
            ? []
            : await ReadAsync(
                session => Examine(session, new Search(query, by: null), query.Limit, ids).Found, cancellationToken).ConfigureAwait(false);
        return (found, Numbers(ids));
    }

    /// <summary>Which of some entries match a query now.</summary>
    internal static HashSet<long> Matching(SqliteSession session, EntryQuery query, long[] ids)
    {
        var running = new Lazy<RunningEntries>(() => RunningEntries.Read(session));
        var search = new Search(query with { Before = null }, by: null);
        var statement = Bind(session, session.Get(EntryListSql.Given), search, ids.Length, running)
            .BindText(21, ClaimContents.Write([.. ids], static id => id));
        var matching = new HashSet<long>();
        while (statement.Step())
        {
            if (statement.Boolean(2))
            {
                matching.Add(statement.Int64(0));
            }
        }

        return matching;
    }

    /// <summary>Returns how long a read counts as searching. A process that is paused during it has not searched for long.</summary>
    internal static TimeSpan Counted(TimeSpan read) => read < 2 * LongestRead ? read : 2 * LongestRead;

    // Returns whether the search ended because enough was found. Afterwards search.Last is null if everything was examined.
    private async ValueTask<bool> SearchAsync(
        Search search, Action<List<EntrySummary>> add, Func<bool> isEnough, CancellationToken cancellationToken)
    {
        var searched = TimeSpan.Zero;
        for (var left = search.Query.MaxExamined; ;)
        {
            var started = TimeProvider.System.GetTimestamp();
            var (found, examined, isEnd) = await ReadAsync(
                session => Examine(session, search, Math.Min(left, Chunk), given: null), cancellationToken).ConfigureAwait(false);
            searched += Counted(TimeProvider.System.GetElapsedTime(started));
            add(found);
            left -= examined;
            if (isEnd || (search.SearchedBackTo is { } created && search.Conditions.EndsBefore(created)))
            {
                search.Last = null;
                return false;
            }

            if (isEnough())
            {
                return true;
            }

            if (left <= 0 || searched > LongestSearch)
            {
                return false;
            }
        }
    }

    // Examines one chunk, in one read. A list stops when its page is full. Given entries are few and are all examined: no read continues
    // with the rest.
    private static (List<EntrySummary> Found, int Examined, bool IsEnd) Examine(
        SqliteSession session, Search search, int limit, string? given)
    {
        var query = search.Query;
        var source = given is not null ? EntryListSql.Given
            : search.Conditions.AreUnwell ? EntryListSql.Unwell
            : search.Conditions.AreRunning ? EntryListSql.Given
            : search.Conditions.AreWaiting ? EntryListSql.Waiting
            : search.Conditions.AreActive ? EntryListSql.Active
            : search.Conditions.AreEnded ? EntryListSql.Ended
            : EntryListSql.All;
        var running = new Lazy<RunningEntries>(() => RunningEntries.Read(session));
        var statement = Bind(session, session.Get(source), search, limit, running);
        if (source is EntryListSql.Given or EntryListSql.Active)
        {
            statement.BindText(
                21,
                given is null ? ClaimContents.Write([.. running.Value.Ids], static id => id) : System.Text.Encoding.UTF8.GetBytes(given));
        }

        var (ids, examined, isStopped) = (new List<long>(), 0, false);
        var started = TimeProvider.System.GetTimestamp();
        while (!isStopped && statement.Step())
        {
            examined++;
            isStopped = given is null && TimeProvider.System.GetElapsedTime(started) > LongestRead;
            search.Last = statement.Int64(0);
            search.SearchedBackTo = Micros.ToTime(statement.NullableInt64(1)) ?? search.SearchedBackTo;
            if (!statement.Boolean(2))
            {
                continue;
            }

            if (search.By is null)
            {
                // An entry that was run once more although it had ended has several final outcomes.
                if (ids.Count == 0 || ids[^1] != search.Last)
                {
                    ids.Add(statement.Int64(0));
                }

                isStopped |= ids.Count >= query.Limit + 1;
            }
            else
            {
                var key = statement.NullableText(3) ?? "";
                search.Groups[key] = search.Groups.GetValueOrDefault(key) + 1;
            }
        }

        statement.Reset();
        return (Summarize(session, ids, running), examined, !isStopped && examined < limit);
    }

    private static List<EntrySummary> Summarize(SqliteSession session, List<long> ids, Lazy<RunningEntries> running)
    {
        var entries = new List<EntrySummary>(ids.Count);
        foreach (var id in ids)
        {
            if (SqliteQueueStore.Find(session, id, withPayloads: false, running) is { } entry)
            {
                entries.Add(EntrySummaries.Of(entry));
            }
        }

        return entries;
    }

    private static SqliteStatement Bind(
        SqliteSession session, SqliteStatement statement, Search search, int limit, Lazy<RunningEntries> running)
    {
        var (query, conditions) = (search.Query, search.Conditions);
        var nodes = query.Node is { } node ? Nodes(session, node) : null;
        return statement
            .Bind(1, search.Last ?? query.Before ?? long.MaxValue)
            .Bind(2, limit)
            .Bind(3, Queues(session, query))
            .Bind(4, Kinds(session, query, conditions))
            .Bind(5, conditions.States is { } states ? string.Concat(states.Select(static state => (char)('0' + (int)state))) : null)
            .Bind(6, query.Reason)
            .Bind(7, nodes)
            .Bind(8, nodes is null ? null : RunningOn(running.Value, query.Node!))
            .Bind(9, conditions.Job)
            .Bind(10, query.UniqueKey)
            .Bind(11, Micros.From(query.CreatedFrom))
            .Bind(12, Micros.From(query.CreatedTo))
            .Bind(13, Micros.From(query.EndedFrom))
            .Bind(14, Micros.From(query.EndedTo))
            .Bind(15, conditions.Metadata)
            .Bind(16, query.Text)
            .Bind(17, conditions.EscapedText)
            .Bind(18, query.JobId is null ? null : session.Get(EntryListSql.KindsFrom).Bind(1, TaskEntryKind.Prefix).ScalarText())
            .Bind(19, conditions.ScopeMetadata)
            .Bind(20, (long?)search.By)
            .Bind(22, conditions.Trace)
            .BindText(23, nodes is null ? [] : ClaimContents.Write([.. running.Value.Ids], static id => id));
    }

    // As a JSON array of numbers.
    private static string? Nodes(SqliteSession session, string node)
        => session.Get(EntryListSql.Nodes).Bind(1, node).Bind(2, Guid.TryParse(node, out var id) ? id : null).ScalarText();

    // The queue or kind of the query must be one of the scope's, if the query has both.
    private static string? Queues(SqliteSession session, EntryQuery query)
        => Names(query.Queue, query.Scope?.Queues) is { } names ? session.Get(EntryListSql.QueuesIn).Bind(1, names).ScalarText() : null;

    private static string? Kinds(SqliteSession session, EntryQuery query, EntryConditions conditions)
    {
        if (conditions.KindPrefix is not { } prefix)
        {
            return Names(conditions.Kind, query.Scope?.Kinds) is { } names
                ? session.Get(EntryListSql.KindsIn).Bind(1, names).ScalarText()
                : null;
        }

        var beginning = session.Get(EntryListSql.KindsFrom).Bind(1, prefix).ScalarText()!;
        if (Names(null, query.Scope?.Kinds) is not { } scope)
        {
            return beginning;
        }

        var ofScope = Numbers(session.Get(EntryListSql.KindsIn).Bind(1, scope).ScalarText());
        return System.Text.Encoding.UTF8.GetString(
            ClaimContents.Write([.. Numbers(beginning).Intersect(ofScope)], static number => number));
    }

    private static string? Names(string? name, IReadOnlyCollection<string>? scope)
    {
        string[]? names = name is null ? scope?.ToArray() : scope is null || scope.Contains(name, StringComparer.Ordinal) ? [name] : [];
        return names is null ? null : JsonSerializer.Serialize(names, EntryJsonContext.Default.StringArray);
    }

    private static long[] Numbers(string? json)
        => json is null ? [] : JsonSerializer.Deserialize(json, EntryJsonContext.Default.Int64Array) ?? [];

    private static string RunningOn(RunningEntries running, string node)
        => System.Text.Encoding.UTF8.GetString(ClaimContents.Write(
            [.. running.Ids.Where(id => running.Find(id) is { } run && (run.Node == node
                || string.Equals(run.NodeId.ToString(), node, StringComparison.OrdinalIgnoreCase)))], static id => id));

    private async ValueTask<DateTimeOffset?> OldestAsync(CancellationToken cancellationToken)
        => Micros.ToTime(await ReadAsync(
            static session => session.Get(EntryListSql.Oldest).Scalar(), cancellationToken).ConfigureAwait(false));

    private static string Name(SqliteSession session, string key, EntryGrouping by)
    {
        if (by == EntryGrouping.Reason || key.Length == 0)
        {
            return key;
        }

        // A row that was edited by hand can have any value, and a state is one of the numbers in the statement.
        if (!long.TryParse(key, System.Globalization.CultureInfo.InvariantCulture, out var number))
        {
            return $"#{key}";
        }

        return by switch
        {
            EntryGrouping.State => ((EntryState)number).ToString(),
            EntryGrouping.Kind => SqliteNames.ReadKindName(session, number),
            _ => session.Get(NameSql.QueueName).Bind(1, number).ScalarText() ?? $"#{number}",
        };
    }

    /// <summary>A search, and how far it has come.</summary>
    private sealed class Search(EntryQuery query, EntryGrouping? by)
    {
        public EntryQuery Query => query;

        public EntryConditions Conditions { get; } = new(query);

        public EntryGrouping? By => by;

        /// <summary>The id of the last entry that was examined.</summary>
        public long? Last { get; set; }

        /// <summary>When that entry was stored.</summary>
        public DateTimeOffset? SearchedBackTo { get; set; }

        public Dictionary<string, long> Groups { get; } = new(StringComparer.Ordinal);
    }
}
