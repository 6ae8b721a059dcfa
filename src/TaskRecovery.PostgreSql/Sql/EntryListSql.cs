using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that search entries, newest first.</summary>
/// <remarks>
/// <para>Common parameters: $1 only ids below this one, $2 how many entries to examine at most, $3 queue, $4 kind, $5 beginning of the
/// kind, $6 states, $7 reason, $8 node, $9 the job's id as text, $10 unique key, $11 created from, $12 created before, $13 ended from, $14
/// ended before, $15 name and value as in the metadata, $16 text in the arguments, $17 the same text as JSON escapes it, $18 queues of the
/// scope, $19 kinds of the scope, $20 name and value of the scope, $21 trace. Each condition is null if it is not set, and the statement is
/// planned for its values, so that an unset condition costs nothing.</para>
/// <para>The entries to examine come from one of several sources. Outcomes are looked up only for entries that match everything else: most
/// of the history has completed, and nothing may read all of it. If only entries that have ended can match, <see cref="EndedListSql"/>
/// examines the outcomes instead.</para>
/// </remarks>
internal static class EntryListSql
{
    private const string Entries = "(select e.* from {schema}.entries e where e.id < $1::bigint order by e.id desc limit $2::bigint) e";

    private const string WaitingIds = "select w.id as entry from {schema}.waiting w where w.id < $1::bigint";

    private const string RunningIds =
        "select distinct u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry) where u.entry < $1::bigint";

    // In one statement: an entry that is claimed or put back meanwhile is in one of both.
    private const string ActiveIds = WaitingIds + " union " + RunningIds;

    private static readonly string Waiting = FromNewest(WaitingIds);

    private static readonly string Running = FromNewest(RunningIds);

    private static readonly string Active = FromNewest(ActiveIds);

    // The oldest entry that a search examines.
    private const string WithLowest = """
        with low as materialized (
            select coalesce((select e.id from {schema}.entries e where e.id < $1::bigint order by e.id desc offset $2::bigint - 1 limit 1),
                0) as id
        )

        """;

    // One walk over the outcomes of the entries to examine. A look-up for each entry would cost several times as much.
    private static readonly string OfNode = FromNewest(WithLowest + $$"""
        select o.entry from {schema}.outcomes o
        where o.entry < $1::bigint and o.entry >= (select l.id from low l) and o.node = any (array{{NodeNumbers}})
        union
        select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
        where u.entry < $1::bigint and u.entry >= (select l.id from low l) and c.node = any (array{{NodeNumbers}})
        """);

    private static readonly string Holder = From("""
        select u.entry from {schema}.kinds k cross join lateral (
            select u.entry from {schema}.unique_keys u where u.kind = k.id and u.key = $10::text offset 0) u
        where u.entry < $1::bigint order by u.entry desc limit $2::bigint
        """);

    /// <summary>The numbers of the nodes with the name or id $8, as a query in parentheses.</summary>
    internal const string NodeNumbers = "(select n.number from {schema}.nodes n where "
        + NodeSql.Label + " = $8::text or n.name = $8::text or n.id::text = $8::text)";

    /// <summary>Whether entry e is of the queues and kinds of the query and its scope.</summary>
    internal const string IsOfKind = """
        ($3::text is null or e.queue = (select q.id from {schema}.queues q where q.name = $3))
        and ($4::text is null or e.kind = (select k.id from {schema}.kinds k where k.name = $4))
        and ($5::text is null or e.kind = any (array(select k.id from {schema}.kinds k where starts_with(k.name, $5))))
        and ($18::text[] is null or e.queue = any (array(select q.id from {schema}.queues q where q.name = any ($18))))
        and ($19::text[] is null or e.kind = any (array(select k.id from {schema}.kinds k where k.name = any ($19))))
        """;

    /// <summary>Whether entry e matches the conditions that concern what was stored with it.</summary>
    internal const string MatchesAsStored = IsOfKind + """

        and ($11::timestamptz is null or e.created_at >= $11)
        and ($12::timestamptz is null or e.created_at < $12)
        and ($10::text is null or e.unique_key = $10)
        and ($9::text is null or (e.kind = any (array(select k.id from {schema}.kinds k where starts_with(k.name, 'task:')))
            and strpos(e.args, $9) > 0))
        and ($15::text is null or strpos(e.metadata, $15) > 0)
        and ($20::text is null or strpos(e.metadata, $20) > 0)
        and ($21::text is null or substr(e.trace_parent, 4, 32) = $21)
        and ($16::text is null or strpos(e.args, $16) > 0 or strpos(e.args, $17::text) > 0)
        """;

    private const string Matches = MatchesAsStored + $$"""

        and ($7::text is null or {{Reason}} = $7)
        and (($13::timestamptz is null and $14::timestamptz is null) or exists (
            select from {schema}.outcomes o
            where o.entry = e.id and o.final and ($13::timestamptz is null or o.ended_at >= $13)
                and ($14::timestamptz is null or o.ended_at < $14)))
        and ($8::text is null
            or e.id = any (array({{RunIds}} and c.node = any (array{{NodeNumbers}})))
            or ((select o.node from {schema}.outcomes o where o.entry = e.id order by o.final desc, o.fence desc limit 1)
                    = any (array{{NodeNumbers}})
                and e.id not in ({{RunIds}})))
        and ($6::smallint[] is null or {{State}} = any ($6))
        """;

    // The entries that run: a claim lists them, and has no outcome for them. If an entry runs, the node of its last outcome does not count.
    private const string RunIds = """
        select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
        where (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id) is null
        """;

    private const string Reason =
        "(select o.reason from {schema}.outcomes o where o.entry = e.id and o.final order by o.fence desc limit 1)";

    /// <summary>The state of an entry that ended with outcome o.</summary>
    internal const string StateOfEnd = $"""
        case o.kind when {Codes.OutcomeCompleted} then {Codes.EntryCompleted}
            when {Codes.OutcomeFailed} then {Codes.EntryFailed} else {Codes.EntryCancelled} end
        """;

    private const string State = $$"""
        coalesce(
            (select {{StateOfEnd}}
                from {schema}.outcomes o where o.entry = e.id and o.final order by o.fence desc limit 1),
            case when exists (
                select w.id from {schema}.waiting w where w.id = e.id and {{WaitingSql.FoundById}}
                union all
                select w.id from {schema}.waiting w
                where w.queue = e.queue and w.priority = e.priority and w.run_at = e.created_at and w.id = e.id
                    and not w.found_by_id) then {{Codes.EntryWaiting}} else {{Codes.EntryRunning}} end)::smallint
        """;

    /// <summary>Entries, whatever their state.</summary>
    internal static readonly string List = ListFrom(Entries);

    /// <summary>As <see cref="List"/>, with how far it has looked if it found fewer than requested, in one snapshot: between two statements
    /// entries may leave or join what is examined, and some would be skipped. Returns ids, times of storing, and whether the row is the
    /// <see cref="Edge"/>.</summary>
    internal static readonly string ListAndEdge = WithEdge(List, Edge);

    /// <summary>As <see cref="List"/>, from the waiting entries. Most have no index by id, so this reads all of their rows, and then looks
    /// up the newest entries.</summary>
    internal static readonly string ListWaiting = ListFrom(Waiting);

    /// <summary>As <see cref="ListAndEdge"/>, from the waiting entries.</summary>
    internal static readonly string ListWaitingAndEdge = WithEdge(ListWaiting, EdgeWaiting);

    /// <summary>As <see cref="List"/>, from the entries that nodes hold.</summary>
    internal static readonly string ListRunning = ListFrom(Running);

    /// <summary>As <see cref="ListAndEdge"/>, from the entries that nodes hold.</summary>
    internal static readonly string ListRunningAndEdge = WithEdge(ListRunning, EdgeRunning);

    /// <summary>As <see cref="List"/>, from the entries that wait and those that nodes hold.</summary>
    internal static readonly string ListActive = ListFrom(Active);

    /// <summary>As <see cref="ListAndEdge"/>, from the entries that wait and those that nodes hold.</summary>
    internal static readonly string ListActiveAndEdge = WithEdge(ListActive, EdgeActive);

    /// <summary>As <see cref="List"/>, from the entries that a node runs or ran.</summary>
    internal static readonly string ListOfNode = ListFrom(OfNode);

    /// <summary>As <see cref="ListAndEdge"/>, from the entries that a node runs or ran.</summary>
    internal static readonly string ListOfNodeAndEdge = WithEdge(ListOfNode, Edge);

    /// <summary>As <see cref="List"/>, from the entries that hold a unique key.</summary>
    internal static readonly string ListHolders = ListFrom(Holder);

    /// <summary>The entries among given ones that match. $22 their ids, $1 only those below this one; $2 has no
    /// effect.</summary>
    internal const string Matching =
        "select e.id from (select e.* from {schema}.entries e where e.id = any ($22::bigint[]) offset 0) e"
        + " where e.id < $1::bigint and $2::bigint > 0 and " + Matches;

    /// <summary>How many entries match, by kind, reason, queue or state. $22 which of them (0 to 3). Returns the key and the
    /// number.</summary>
    internal static readonly string Group = GroupFrom(Entries);

    /// <summary>As <see cref="Group"/>, from the waiting entries.</summary>
    internal static readonly string GroupWaiting = GroupFrom(Waiting);

    /// <summary>As <see cref="Group"/>, from the entries that nodes hold.</summary>
    internal static readonly string GroupRunning = GroupFrom(Running);

    /// <summary>As <see cref="Group"/>, from the entries that wait and those that nodes hold.</summary>
    internal static readonly string GroupActive = GroupFrom(Active);

    /// <summary>As <see cref="Group"/>, from the entries that a node runs or ran.</summary>
    internal static readonly string GroupOfNode = GroupFrom(OfNode);

    /// <summary>The oldest entry that a search examines if it does not end earlier; nothing if the search reaches the first entry. $1 only
    /// ids below this one, $2 how many entries. Returns its id and when it was stored.</summary>
    internal const string Edge =
        "select e.id, e.created_at from {schema}.entries e where e.id < $1::bigint order by e.id desc offset $2::bigint - 1 limit 1";

    /// <summary>As <see cref="Edge"/>, for waiting entries.</summary>
    internal const string EdgeWaiting = EdgeBegin + WaitingIds + EdgeEnd;

    /// <summary>As <see cref="Edge"/>, for entries that nodes hold.</summary>
    internal const string EdgeRunning = EdgeBegin + RunningIds + EdgeEnd;

    /// <summary>As <see cref="Edge"/>, for entries that wait and those that nodes hold.</summary>
    internal const string EdgeActive = EdgeBegin + ActiveIds + EdgeEnd;

    private const string EdgeBegin = "select e.id, e.created_at from (";

    private const string EdgeEnd = """
         order by entry desc offset $2::bigint - 1 limit 1) f
        join {schema}.entries e on e.id = f.entry
        """;

    /// <summary>When the first entry that is still stored was stored.</summary>
    internal const string Oldest = "select e.id, e.created_at from {schema}.entries e order by e.id limit 1";

    /// <summary>How many entries wait, counted up to $1, and how many the claims list.</summary>
    internal const string CountActive = """
        select (select count(*) from (select from {schema}.waiting w limit $1::bigint) w),
            (select coalesce(sum(cardinality(c.entries)), 0)::bigint from {schema}.claims c)
        """;

    /// <summary>Whether there is a node with a name or id. $1 name or id.</summary>
    internal const string HasNode = "select exists (select from {schema}.nodes n where "
        + NodeSql.Label + " = $1::text or n.name = $1::text or n.id::text = $1::text)";

    /// <summary>The first entry that was stored at a time or later, by halving the range of the ids, which grow with the time of storing.
    /// $1 time. Returns its id; nothing if all entries are older.</summary>
    internal const string FirstStored = """
        with recursive part (low, high) as (
            select f.id - 1, l.id from (select e.id from {schema}.entries e order by e.id limit 1) f
                cross join (select e.id, e.created_at from {schema}.entries e order by e.id desc limit 1) l
                where l.created_at >= $1::timestamptz
            union all
            select case when m.created_at >= $1::timestamptz then p.low else p.middle end,
                case when m.created_at >= $1::timestamptz then m.id else p.high end
            from (select low, high, low + (high - low) / 2 as middle from part where high - low > 1) p
            left join lateral (
                select e.id, e.created_at from {schema}.entries e where e.id > p.low and e.id <= p.middle order by e.id desc limit 1) m
                on true
        )
        select min(high) from part having min(high) is not null
        """;

    private static string FromNewest(string ids) => From(ids + " order by entry desc limit $2::bigint");

    /// <summary>As <see cref="Edge"/>, for the entries of a query of ids.</summary>
    internal static string EdgeOf(string ids) => EdgeBegin + ids + EdgeEnd;

    /// <summary>Looks up the entries of a query of ids.</summary>
    internal static string From(string ids) => $$"""
        ({{ids}}) f cross join lateral (select * from {schema}.entries e where e.id = f.entry offset 0) e
        """;

    /// <summary>The entries of a source that match, newest first. $22 how many at most.</summary>
    /// <remarks>A source of ids is sorted by them: in that order, the entries are looked up one by one until the page is full.</remarks>
    internal static string ListFrom(string source, string matches = Matches)
        => $"select e.id, e.created_at from {source} where {matches} order by {(source == Entries ? "e.id" : "f.entry")} desc "
            + "limit $22::bigint";

    /// <summary>How many entries of each source have arguments that together are no longer than a search may read. $22 how many bytes.
    /// Arguments of other queues and kinds are not read.</summary>
    /// <remarks>The length is known without reading a long value.</remarks>
    internal static class WithinBytes
    {
        internal static readonly string OfAll = Of(Entries);
        internal static readonly string OfWaiting = Of(Waiting);
        internal static readonly string OfRunning = Of(Running);
        internal static readonly string OfActive = Of(Active);

        private static string Of(string source) => $$"""
            select count(*) from (
                select sum(case when {{IsOfKind}} then octet_length(e.args)::bigint else 0 end)
                    over (order by e.id desc rows unbounded preceding) as bytes
                from {{source}}) b
            where b.bytes <= $22::bigint
            """;
    }

    /// <summary>A list, and how far it has looked. The edge is read only if it is needed.</summary>
    internal static string WithEdge(string list, string edge) => $$"""
        with listed as materialized (
            {{list}}
        )
        select l.id, l.created_at, false from listed l
        union all
        select g.id, g.created_at, true from ({{edge}}) g where (select count(*) from listed) < $22::bigint
        """;

    /// <summary>How many entries of a source match, by one of four keys.</summary>
    internal static string GroupFrom(string source, string matches = Matches, string reason = Reason, string state = State) => $$"""
        select case $22::integer when {{Codes.GroupKind}} then (select k.name from {schema}.kinds k where k.id = g.key::smallint)
                when {{Codes.GroupQueue}} then (select q.name from {schema}.queues q where q.id = g.key::integer) else g.key end, g.entries
        from (
            select case $22::integer when {{Codes.GroupKind}} then e.kind::text
                when {{Codes.GroupReason}} then {{reason}}
                when {{Codes.GroupQueue}} then e.queue::text else {{state}}::text end as key, count(*) as entries
            from {{source}} where {{matches}}
            group by 1
        ) g
        order by g.entries desc, g.key limit 1000
        """;
}
