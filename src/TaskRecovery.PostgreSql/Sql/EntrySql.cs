namespace TaskRecovery.PostgreSql;

/// <summary>Statements that store entries.</summary>
/// <remarks>Common parameters: $1 queue numbers, $2 kind numbers, $3 priorities, $4 attempts, $5 args, $6 earliest times, $7 delays, $8
/// time limits, $9 metadata, $10 trace contexts, $11 unique keys. If no entry has a value for a column, its array may be empty. $12 to $15
/// the numbers and names of the queues, then of the kinds: if any number does not belong to its name, nothing is stored and no id is
/// returned, in the caller's own transaction too. A foreign key would read and lock a row for every entry. The snapshot of a caller's
/// transaction may be older than a name. So a statement that runs again there, with numbers that were resolved again, accepts a number that
/// its snapshot does not have, and refuses only one that belongs to another name.</remarks>
internal static class EntrySql
{
    // A time in the past is replaced by the current time, so that no entry is stored at a position that claimers have already passed.
    private static readonly string Given = GivenWith("", "");

    private static readonly string Stored = StoredWith("");

    private static string GivenWith(string expiresParameter, string expires, bool again = false, string limit = "") => $$"""
        with clock as materialized (select clock_timestamp() as now{{limit}}),
        known as materialized (
            select {{(again ? AreNoOthers() : AreKnown())}} as all_of_them
        ),
        given as materialized (
            select nextval('{schema:literal}.entries_id_seq') as id, (select now from clock) as created_at, g.*
            from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11{{expiresParameter}}) with ordinality
                as g (queue, kind, priority, max_attempts, args, run_at, run_after, timeout, metadata, trace_parent, unique_key{{expires}},
                    place)
            where (select k.all_of_them from known k)
        )
        """;

    private static string AreKnown() => NameSql.Count("$12", "$13", "$14", "$15") + " = cardinality($12) + cardinality($14)";

    private static string AreNoOthers() => NameSql.CountOthers("$12", "$13", "$14", "$15") + " = 0";

    private static string StoredWith(string expires) => $$"""
        stored as (
            insert into {schema}.entries (id, created_at, queue, kind, priority, max_attempts, args, unique_key, timeout, metadata,
                trace_parent{{expires}})
            overriding system value
            select g.id, g.created_at, g.queue, g.kind, g.priority, g.max_attempts, g.args, g.unique_key, g.timeout, g.metadata,
                g.trace_parent{{expires}}
            from accepted g
        )
        """;

    // Has no closing parenthesis, so that a statement can append a condition.
    private const string LinedUp = """
        lined_up as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, found_by_id)
            select d.run_at, g.id, g.queue, g.kind, g.priority, d.run_at <> g.created_at
            from accepted g cross
                join lateral (select greatest(coalesce(g.run_at, g.created_at + g.run_after, g.created_at), g.created_at) as run_at) d
        """;

    // Conditions of a statement that stores one entry.
    private const string IsKnown = """
        exists (select from {schema}.queues q where q.id = $1 and q.name = $11)
                and exists (select from {schema}.kinds k where k.id = $2 and k.name = $12)
        """;

    private const string IsNoOther = """
        not exists (select from {schema}.queues q where q.id = $1 and q.name <> $11)
                and not exists (select from {schema}.kinds k where k.id = $2 and k.name <> $12)
        """;

    private const string IdsInTransaction = "select array_agg(id order by place), pg_current_xact_id(), min(created_at) from given";

    private static string All(string given) => given + ", accepted as (select * from given), " + Stored + ", " + LinedUp + ") ";

    /// <summary>Stores entries without unique keys.</summary>
    /// <returns>The ids in the order of the entries, as one array: ten thousand rows would cost more to send and read than their index
    /// entries cost to write.</returns>
    internal static readonly string Enqueue = All(Given) + "select array_agg(id order by place) from given";

    /// <summary>As <see cref="Enqueue"/>, in a caller's transaction.</summary>
    /// <returns>The ids, the id of the transaction, and the time at which all of them were created.</returns>
    internal static readonly string EnqueueInTransaction = All(Given) + IdsInTransaction;

    /// <summary>As <see cref="EnqueueInTransaction"/>, again with numbers that were resolved again.</summary>
    internal static readonly string EnqueueInTransactionAgain = All(GivenWith("", "", again: true)) + IdsInTransaction;

    /// <summary>Stores one entry, without a unique key and an expiry, alone or in a caller's transaction. $1 queue number, $2 kind number,
    /// $3 priority, $4 attempts, $5 args, $6 earliest time, $7 delay, $8 time limit, $9 metadata, $10 trace context, $11 and $12 the names
    /// of the queue and the kind.</summary>
    /// <remarks>Alone, it costs the server half of <see cref="Enqueue"/> with arrays of one. In a caller's transaction it is prepared on
    /// the caller's connection. A pool then resets the connection with seven statements instead of one, which costs half as much as
    /// planning this statement in every transaction (0.72 instead of 0.42 of the speed of a plain insert).</remarks>
    /// <returns>The id, the id of the transaction, and the time of creation; no row if a number does not belong to its name.</returns>
    internal static readonly string EnqueueOne = One(IsKnown);

    /// <summary>As <see cref="EnqueueOne"/>, again in a caller's transaction, with numbers that were resolved again.</summary>
    internal static readonly string EnqueueOneAgain = One(IsNoOther);

    /// <summary>Stores entries that differ only in their args, without unique keys and expiries, alone or in a caller's transaction: $5 is
    /// an array, all else is as in <see cref="EnqueueOne"/>. Nearly every call with several entries stores such entries.</summary>
    /// <remarks>The server builds each array of a statement into a table of its own, also those that are empty, and plans a statement with
    /// arrays again for each call of a caller's session, if it knows nothing about them.</remarks>
    /// <returns>As <see cref="EnqueueInTransaction"/>; no ids if a number does not belong to its name.</returns>
    internal static readonly string EnqueueAlike = Alike(IsKnown);

    /// <summary>As <see cref="EnqueueAlike"/>, again in a caller's transaction, with numbers that were resolved again.</summary>
    internal static readonly string EnqueueAlikeAgain = Alike(IsNoOther);

    // Computed once, where the row is stored.
    private const string OneStored =
        "returning id, created_at, queue, kind, priority, greatest(coalesce($6, created_at + $7, created_at), created_at) as run_at";

    private const string OneLinedUp = """
        lined_up as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, found_by_id)
            select s.run_at, s.id, s.queue, s.kind, s.priority, s.run_at <> s.created_at from stored s
        )
        """;

    private static string One(string condition) => $$"""
        with stored as (
            insert into {schema}.entries (id, created_at, queue, kind, priority, max_attempts, args, timeout, metadata, trace_parent)
            overriding system value
            select nextval('{schema:literal}.entries_id_seq'), clock_timestamp(), $1, $2, $3, $4, $5, $8, $9, $10
            where {{condition}}
            {{OneStored}}
        ), {{OneLinedUp}}
        select s.id, pg_current_xact_id(), s.created_at from stored s
        """;

    // A session draws ids in ascending order, so they are in the order of the args.
    private static string Alike(string condition) => $$"""
        with stored as (
            insert into {schema}.entries (id, created_at, queue, kind, priority, max_attempts, args, timeout, metadata, trace_parent)
            overriding system value
            select nextval('{schema:literal}.entries_id_seq'), (select clock_timestamp()), $1, $2, $3, $4, a.args, $8, $9, $10
            from unnest($5) a (args)
            where {{condition}}
            {{OneStored}}
        ), {{OneLinedUp}}
        select array_agg(s.id order by s.id), pg_current_xact_id(), min(s.created_at) from stored s
        """;

    /// <summary>Stores one entry with a unique key or an expiry in a transaction of its own. $1 to $12 as in <see cref="EnqueueOne"/>, $13
    /// the unique key, $14 the time after which it does not start, $15 how many milliseconds it waits for a lock, as a text.</summary>
    /// <returns>As <see cref="EnqueueUnique"/>, the id of the transaction, and the time of creation, both null if nothing was stored; no
    /// row if a number does not belong to its name.</returns>
    internal static readonly string EnqueueOneUnique = OneUnique(IsKnown, LimitedBy("$15"));

    /// <summary>As <see cref="EnqueueOneUnique"/>, in a caller's transaction, whose own limits apply.</summary>
    /// <remarks>In a caller's session the server plans a statement with arrays again for each call, because the settings of that session
    /// apply. That costs more than everything else about it.</remarks>
    internal static readonly string EnqueueOneUniqueInTransaction = OneUnique(IsKnown);

    /// <summary>As <see cref="EnqueueOneUniqueInTransaction"/>, again with numbers that were resolved again.</summary>
    internal static readonly string EnqueueOneUniqueAgain = OneUnique(IsNoOther);

    // One look-up finds everything about the holder of the key, and runs only if there is one. The server prepares each look-up of a
    // statement whenever the statement runs, also those that are not needed.
    private static string OneUnique(string condition, string limit = "") => $$"""
        with given as materialized (
            select nextval('{schema:literal}.entries_id_seq') as id, clock_timestamp() as now{{limit}}
            where {{condition}}
        ), taken as (
            insert into {schema}.unique_keys (kind, key, entry) select $2, $13, g.id from given g where $13::text is not null
            on conflict (kind, key) do nothing
            returning entry
        ), stored as (
            insert into {schema}.entries
                (id, created_at, queue, kind, priority, max_attempts, args, unique_key, timeout, metadata, trace_parent, expires_at)
            overriding system value
            select g.id, g.now, $1, $2, $3, $4, $5, $13, $8, $9, $10, $14
            from given g where $13 is null or exists (select from taken)
            {{OneStored}}
        ), {{OneLinedUp}}
        select coalesce(s.id, h.entry),
            case when s.id is null then {{CommitSql.Confirm}} else false end,
            coalesce(h.is_expired, false), coalesce(h.may_be_released, false),
            case when s.id is not null then pg_current_xact_id() end, s.created_at
        from given g left join stored s on true
            left join lateral (
                select u.entry, {{IsReleased}} as may_be_released, (
                    select e.expires_at <= g.now from {schema}.entries e where e.id = u.entry and {{MayEnd}}) as is_expired
                from {schema}.unique_keys u
                where s.id is null and u.kind = $2 and u.key = $13
                offset 0) h on true
        """;

    /// <summary>Stores entries of one queue, without unique keys and times, and claims them in the same transaction if a claim would take
    /// them at once: the node is not dead, the queue is not paused, and no due entry of a kind that the node knows precedes them. Otherwise
    /// they wait. $16 node, $17 queue number, $18 kind numbers, $19 the levels up to that of the entries, $20 and $21 the times and ids up
    /// to which the node's claims have scanned them.</summary>
    /// <returns>The ids in the order of the entries, the database's time, the node's number (null if it is dead), and the claim's id (null
    /// if the entries wait).</returns>
    internal static readonly string EnqueueClaimed = Given + """
        , node as materialized (
            select n.number from {schema}.nodes n where n.id = $16 and n.dead_at is null for key share
        ), turn as materialized (
            select n.number from node n join {schema}.queues q on q.id = $17 and not q.paused
            where (select k.all_of_them from known k) and not exists (
                select from clock c cross join unnest($19, $20, $21) l (level, after_time, after_id) cross join lateral (
                    select from {schema}.waiting w
                    where w.queue = $17 and w.priority = l.level and (w.run_at, w.id) > (l.after_time, l.after_id) and w.run_at <= c.now
                        and w.kind = any ($18)
                    limit 1) w)
        ), accepted as (select * from given), listed as materialized (select array_agg(id order by place) as ids from given),
        """ + Stored + ", " + LinedUp + """
            where not exists (select from turn)
        ), claim as (
            insert into {schema}.claims (id, claimed_at, node, entries)
            select nextval('{schema:literal}.fences'), (select c.now from clock c), t.number, (select l.ids from listed l) from turn t
            returning id
        )
        select (select l.ids from listed l), (select c.now from clock c), (select n.number from node n), (select c.id from claim c)
        """;

    /// <summary>As <see cref="EnqueueClaimed"/>, for one entry. $1 to $4 and $5 to $8 as in <see cref="EnqueueOne"/> without the times:
    /// queue number, kind number, priority, attempts, args, time limit, metadata, trace context. $9 and $10 the names of the queue and the
    /// kind, $11 node, $12 kind numbers, $13 the levels up to that of the entry, $14 and $15 the times and ids up to which the node's
    /// claims have scanned them.</summary>
    /// <remarks>Two lookups cost a third of what <see cref="NameSql.Count"/> costs for a lone entry.</remarks>
    /// <returns>As <see cref="EnqueueClaimed"/>.</returns>
    internal const string EnqueueOneClaimed = """
        with clock as materialized (select clock_timestamp() as now),
        node as materialized (
            select n.number from {schema}.nodes n where n.id = $11 and n.dead_at is null for key share
        ), stored as (
            insert into {schema}.entries (id, created_at, queue, kind, priority, max_attempts, args, timeout, metadata, trace_parent)
            overriding system value
            select nextval('{schema:literal}.entries_id_seq'), c.now, $1, $2, $3, $4, $5, $6, $7, $8
            from clock c
            where exists (select from {schema}.queues q where q.id = $1 and q.name = $9)
                and exists (select from {schema}.kinds k where k.id = $2 and k.name = $10)
            returning id, created_at, queue, kind, priority
        ), turn as materialized (
            select n.number from node n
            where exists (select from {schema}.queues q where q.id = $1 and not q.paused) and not exists (
                select from clock c cross join unnest($13, $14, $15) l (level, after_time, after_id) cross join lateral (
                    select from {schema}.waiting w
                    where w.queue = $1 and w.priority = l.level and (w.run_at, w.id) > (l.after_time, l.after_id) and w.run_at <= c.now
                        and w.kind = any ($12)
                    limit 1) w)
        ), lined_up as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, found_by_id)
            select s.created_at, s.id, s.queue, s.kind, s.priority, false from stored s where not exists (select from turn)
        ), claim as (
            insert into {schema}.claims (id, claimed_at, node, entries)
            select nextval('{schema:literal}.fences'), s.created_at, t.number, array[s.id] from turn t cross join stored s
            returning id
        )
        select (select array[s.id] from stored s), (select c.now from clock c), (select n.number from node n), (select c.id from claim c)
        """;

    // The insert of a key waits for a transaction that has taken or freed the key and is still open. A column that sets the limit of that
    // wait, in the row that is made before any key is inserted, costs less than a statement of its own, and no round trip.
    private static string LimitedBy(string parameter) => $", set_config('lock_timeout', {parameter}, true) as lock_timeout";

    /// <summary>Stores entries some of which have unique keys or expire; $16 the times after which they do not start, $17 how many
    /// milliseconds the transaction waits for a lock from then on, as a text. If a key is taken, its entry is not stored. Keys are inserted
    /// in order, so that two callers cannot deadlock.</summary>
    /// <returns>In the order of the entries, the id, whether it is the id of the current holder of the key, whether the holder may no
    /// longer start, unless it has started before; false if the role may not end it; and whether the holder may have released the key
    /// since the statement began, so that another entry may hold it now. The id is null if the holder appeared or ended at this very
    /// moment: repeat the statement for those entries.</returns>
    internal static readonly string EnqueueUnique = Unique(columns: "", limit: LimitedBy("$17"));

    /// <summary>As <see cref="EnqueueUnique"/>, in a caller's transaction, whose own limits apply. The fifth column is the id of the
    /// transaction, the sixth the time of creation, null if the entry was not stored.</summary>
    internal static readonly string EnqueueUniqueInTransaction = Unique(ColumnsInTransaction);

    /// <summary>As <see cref="EnqueueUniqueInTransaction"/>, again with numbers that were resolved again.</summary>
    internal static readonly string EnqueueUniqueInTransactionAgain = Unique(ColumnsInTransaction, again: true);

    private const string ColumnsInTransaction = ", pg_current_xact_id(), a.created_at";

    private static string Unique(string columns, bool again = false, string limit = "")
        => GivenWith(", $16", ", expires_at", again, limit) + """
        , taken as (
            insert into {schema}.unique_keys (kind, key, entry)
            select g.kind, g.unique_key, g.id from given g where g.unique_key is not null order by g.kind, g.unique_key, g.place
            on conflict (kind, key) do nothing
            returning kind, key, entry
        ), accepted as (
            select g.* from given g where g.unique_key is null or g.id in (select t.entry from taken t)
        ),
        """ + StoredWith(", expires_at") + ", " + LinedUp + $$"""
        )
        select
            case when a.id is not null then a.id else coalesce(
                (select t.entry from taken t where t.kind = g.kind and t.key = g.unique_key),
                (select u.entry from {schema}.unique_keys u where u.kind = g.kind and u.key = g.unique_key)) end,
            case when a.id is null then {{CommitSql.Confirm}} else false end,
            case when a.id is null then {{HasExpiredHolder("g.kind", "g.unique_key", "(select c.now from clock c)")}}
                else false end,
            case when a.id is null and not exists (select from taken t where t.kind = g.kind and t.key = g.unique_key)
                then {{MayBeReleased("g.kind", "g.unique_key")}} else false end{{columns}}
        from given g left join accepted a on a.id = g.id
        order by g.place
        """;

    // Whether the role may end a holder that has expired.
    private const string MayEnd = "has_table_privilege('{schema:literal}.waiting', 'delete')";

    private static string HasExpiredHolder(string kind, string key, string now) => $$"""
        coalesce((
            select e.expires_at <= {{now}} from {schema}.entries e
            where e.id = (select u.entry from {schema}.unique_keys u where u.kind = {{kind}} and u.key = {{key}}) and {{MayEnd}}), false)
        """;

    // The insert waits for a transaction that is deleting the key. If another transaction takes the key then, the look-up for the holder
    // still finds the deleted row, because its snapshot is older. But the row shows that a transaction has deleted it, or has tried to.
    private const string IsReleased = "u.xmax <> 0";

    private static string MayBeReleased(string kind, string key)
        => $"coalesce((select {IsReleased} from {{schema}}.unique_keys u where u.kind = {kind} and u.key = {key}), false)";
}
