using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that search entries that have ended, newest first.</summary>
/// <remarks>
/// <para>The parameters are those of <see cref="EntryListSql"/>, but $2 is how many outcomes to examine at most. They are read in the order
/// of an index, so that entries that wait cost nothing, and a page of what most entries match stops when it is full. What an outcome says
/// is compared first: an entry is looked up only if its outcome matches.</para>
/// <para>The outcome that ended an entry is its newest, so a search that stops among the outcomes of an entry misses nothing of it.</para>
/// </remarks>
internal static class EndedListSql
{
    private const string Columns = "o.entry, o.fence, o.ended_at, o.node, o.kind, o.final, o.reason";

    private const string Newest = $$"""
        select {{Columns}} from {schema}.outcomes o where o.entry < $1::bigint order by o.entry desc, o.fence desc limit $2::bigint
        """;

    private const string UnwellOutcomes = $$"""
        {schema}.outcomes o where o.final and o.kind <> {{Codes.OutcomeCompleted}} and o.entry < $1::bigint
        """;

    private const string NewestUnwell = $"select {Columns} from {UnwellOutcomes} order by o.entry desc limit $2::bigint";

    // Whether outcome o ended an entry in a way that matches.
    private const string Matches = $$"""
        o.final and ($6::smallint[] is null or ({{EntryListSql.StateOfEnd}})::smallint = any ($6))
            and ($7::text is null or o.reason = $7)
            and ($13::timestamptz is null or o.ended_at >= $13) and ($14::timestamptz is null or o.ended_at < $14)
            and ($8::text is null or o.node = any (array{{EntryListSql.NodeNumbers}}))
        """;

    private const string Ended = $"select o.entry, o.reason, {EntryListSql.StateOfEnd} as state from ({Newest}) o where {Matches}";

    private const string Unwell = $"select o.entry, o.reason, {EntryListSql.StateOfEnd} as state from ({NewestUnwell}) o where {Matches}";

    // The entries that run are few. Those that are older than what is examined belong to a later page.
    private const string EndedOrRunning = $$"""
        with low as materialized (
            select coalesce((
                select o.entry from {schema}.outcomes o where o.entry < $1::bigint
                    order by o.entry desc, o.fence desc offset $2::bigint - 1 limit 1), 0) as entry
        )
        {{Ended}}
        union all
        select u.entry, null, {{Codes.EntryRunning}} from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
        where u.entry < $1::bigint and u.entry >= (select l.entry from low l)
            and (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id) is null
            and ($8::text is null or c.node = any (array{{EntryListSql.NodeNumbers}}))
        order by entry desc
        """;

    /// <summary>The entry of the oldest outcome that a search examines: see <see cref="EntryListSql.Edge"/>.</summary>
    internal static readonly string Edge = EntryListSql.EdgeOf("select o.entry from {schema}.outcomes o where o.entry < $1::bigint");

    /// <summary>As <see cref="Edge"/>, for entries that failed or were cancelled.</summary>
    internal static readonly string EdgeUnwell = EntryListSql.EdgeOf($"select o.entry from {UnwellOutcomes}");

    /// <summary>Entries that have ended.</summary>
    internal static readonly string List = ListFrom(Ended);

    /// <summary>As <see cref="List"/>, with how far it has looked: see <see cref="EntryListSql.ListAndEdge"/>.</summary>
    internal static readonly string ListAndEdge = EntryListSql.WithEdge(List, Edge);

    /// <summary>As <see cref="List"/>, from the entries that failed or were cancelled, which have an index.</summary>
    internal static readonly string ListUnwell = ListFrom(Unwell);

    /// <summary>As <see cref="ListAndEdge"/>, from the entries that failed or were cancelled.</summary>
    internal static readonly string ListUnwellAndEdge = EntryListSql.WithEdge(ListUnwell, EdgeUnwell);

    /// <summary>As <see cref="List"/>, with the entries that run.</summary>
    internal static readonly string ListWithRunning = ListFrom(EndedOrRunning);

    /// <summary>As <see cref="ListAndEdge"/>, with the entries that run.</summary>
    internal static readonly string ListWithRunningAndEdge = EntryListSql.WithEdge(ListWithRunning, Edge);

    /// <summary>How many entries match: see <see cref="EntryListSql.Group"/>.</summary>
    internal static readonly string Group = GroupFrom(Ended);

    /// <summary>As <see cref="Group"/>, from the entries that failed or were cancelled.</summary>
    internal static readonly string GroupUnwell = GroupFrom(Unwell);

    /// <summary>As <see cref="Group"/>, with the entries that run.</summary>
    internal static readonly string GroupWithRunning = GroupFrom(EndedOrRunning);

    private static string ListFrom(string ended) => EntryListSql.ListFrom(EntryListSql.From(ended), EntryListSql.MatchesAsStored);

    private static string GroupFrom(string ended)
        => EntryListSql.GroupFrom(EntryListSql.From(ended), EntryListSql.MatchesAsStored, reason: "f.reason", state: "f.state");

    /// <summary>How many of the outcomes to examine have entries whose arguments together are no longer than a search may read. $22 how
    /// many bytes. Arguments of entries whose outcomes do not match are not read.</summary>
    internal static class WithinBytes
    {
        internal static readonly string OfEnded = Of(Newest);
        internal static readonly string OfUnwell = Of(NewestUnwell);

        private static string Of(string newest) => $$"""
            select count(*) from (
                select sum(case when {{EntryListSql.IsOfKind}} then coalesce(octet_length(e.args), 0)::bigint else 0 end)
                    over (order by o.entry desc rows unbounded preceding) as bytes
                from ({{newest}}) o
                left join lateral (select * from {schema}.entries e where e.id = o.entry and {{Matches}} offset 0) e on true) b
            where b.bytes <= $22::bigint
            """;
    }
}
