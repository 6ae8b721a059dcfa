using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that claim entries for a node.</summary>
internal static class ClaimSql
{
    // Each level is scanned from where the claimer stopped: an order by over all levels would read every scheduled entry of a more urgent
    // level. The limit of each of the two kinds of suspects applies to all of its levels together.
    private const string Last = "$5, $6, $7, $8";
    private const string Suspects = "$9, $10, $11, $12";
    private const string Ordinary = "$13, $14, $15, $4";

    /// <summary>Claims due entries of one queue: checks the node (which must not be dead), takes the rows, and stores the claim and reads
    /// the payloads, in one round trip. $1 node, $2 queue number, $3 kind numbers, $4 limit; then for suspects at their last chance ($5 to
    /// $8), other suspects ($9 to $12) and ordinary entries ($13 to $15): levels, times and ids to start after, limit. $16 the queue's
    /// name, $17 the kinds' names, in the order of their numbers.</summary>
    /// <returns>First a row about the claim, in the six columns before the last two: the node's number (null if it is dead); the fence
    /// (null if nothing was claimed); the time; the number of rows selected (null if another claimer is active, in which case
    /// <see cref="ClaimBesideOthers"/> has to be used; -1 if a number no longer belongs to its name); the wait until the next entry is due;
    /// whether entries were left because of their size. Then one row per entry (without its texts if they have more than
    /// <see cref="ClaimLimits.EntryBytes"/>): a value that is common to all entries would cost as much in
    /// each of these rows as any other. The rows come in the order of the plan: the parts of a union are read one after the other, and a
    /// statement that writes is never parallel. A row of <c>waiting</c> without an entry, which another program has removed, is claimed
    /// too: its kind is null, and it ends like any other entry that can't be read. <see cref="ClaimColumns"/> names the columns.</returns>
    /// <remarks>Locking a row before deleting it costs a second record in the write-ahead log and a seventh of the claim's time. The row
    /// lock is needed only if several claimers take from the same queue at the same moment. A claimer that is alone holds the queue's
    /// advisory lock instead, and claims the rows that it could delete. No other statement waits for a row lock while holding one, so this
    /// cannot deadlock. Columns with domains are cast to their plain types, because the server joins the parts of a union without a step of
    /// their own only if their types are the same. The row of the node is locked only if there is something to claim: a lock is written to
    /// the log, and a claim that finds nothing would wait for the disk. The size of a text is known without reading the text, even if it is
    /// compressed.</remarks>
    internal static readonly string ClaimAlone =
        Statement("pg_try_advisory_xact_lock(hashtext('{schema:literal}.waiting'), $2)", rowLocks: "");

    /// <summary>As <see cref="ClaimAlone"/>, while other claimers take from the queue too: each skips the rows that another has
    /// locked.</summary>
    /// <remarks>It lists only what it has deleted, although it holds the locks: if a program has updated a row since the snapshot, the lock
    /// is on a version that the statement can't delete. The next claim can.</remarks>
    internal static readonly string ClaimBesideOthers = Statement("true", rowLocks: " for update skip locked");

    private static string Statement(string mayClaim, string rowLocks) => $$"""
        with alive as materialized (
            select n.number from {schema}.nodes n where n.id = $1 and n.dead_at is null
        ), clock as materialized (
            select clock_timestamp() as now from alive
        ), turn as materialized (
            select {{mayClaim}} as mine from clock
        ), known as materialized (
            select {{NameSql.Count("array[$2::integer]", "array[$16::text]", "$3", "$17")}} = 1 + cardinality($3) as all_of_them
        ), gate as materialized (
            select c.now from clock c join {schema}.queues q on q.id = $2 and not q.paused
            where (select t.mine from turn t) and (select k.all_of_them from known k)
        ), found as materialized (
            select w.* from gate g cross join lateral (
                {{Levels(Last, rowLocks)}}
                union all
                {{Levels(Suspects, rowLocks)}}
                union all
                {{Levels(Ordinary, rowLocks)}}
            ) w
            limit $4
        ), node as materialized (
            select n.number from {schema}.nodes n where n.id = $1 and n.dead_at is null and exists (select from found) for key share
        ), picked as materialized (
            select s.* from (
                select f.tid, f.id, f.level::smallint as level, f.run_at::timestamptz as run_at,
                    least(f.attempt, {{ClaimLimits.Counts}}::smallint) as attempt,
                    least(f.crashes, {{ClaimLimits.Counts}}::smallint) as crashes, f.found_by_id,
                    e.kind::smallint as kind, e.priority::smallint as priority, e.max_attempts::smallint as max_attempts, e.created_at,
                    e.args, e.unique_key is not null as has_key, e.timeout::interval as timeout,
                    e.metadata, e.trace_parent, e.expires_at, e.size <= {{ClaimLimits.EntryBytes}} as fits,
                    sum(case when e.size <= {{ClaimLimits.EntryBytes}} then e.size else 0 end)
                        over (rows between unbounded preceding and 1 preceding) as bytes
                from found f left join lateral (
                    select e.*, octet_length(e.args)::bigint + coalesce(octet_length(e.metadata), 0)
                        + coalesce(octet_length(e.trace_parent), 0) as size
                    from {schema}.entries e where e.id = f.id offset 0) e on true
            ) s
            where (s.bytes is null or s.bytes < {{ClaimLimits.Bytes}}) and exists (select from node)
        ), taken as (
            delete from {schema}.waiting w where w.ctid = any (array(select p.tid from picked p)) returning w.id
        ), held as materialized (
            select p.* from picked p where (p.id in (select t.id from taken t)) is true
        ), claim as (
            insert into {schema}.claims (id, claimed_at, node, entries, again, again_attempts, again_crashes)
            select nextval('{schema:literal}.fences'), (select c.now from clock c), (select n.number
                from node n), p.ids, p.again, p.attempts, p.crashes
            from (
                select array_agg(p.id) as ids,
                    array_agg(p.id) filter (where p.attempt > 0 or p.crashes > 0) as again,
                    array_agg(p.attempt) filter (where p.attempt > 0 or p.crashes > 0) as attempts,
                    array_agg(p.crashes) filter (where p.attempt > 0 or p.crashes > 0) as crashes
                from held p
            ) p
            where p.ids is not null
            returning id
        )
        select null::bigint, null::smallint, null::timestamptz, null::smallint, null::smallint, null::smallint, null::smallint,
            null::smallint, null::timestamptz, null, null::boolean,
            null::interval, null, null, null::boolean,
            case when exists (select from found) then (select n.number from node n) else (select a.number from alive a) end,
            (select c.id from claim c), (select c.now from clock c),
            (select case when (select k.all_of_them from known k) then count(*) else -1 end from picked having (select t.mine from turn t)),
            (select min(least(f.run_at, g.now + {{LongestWait}})) - max(g.now)
                from gate g cross join unnest($5 || $9 || $13) l (level) cross join lateral (
                select w.run_at, w.kind, row_number() over (order by w.run_at, w.id) as place from {schema}.waiting w
                where w.queue = $2 and w.priority = l.level and w.run_at > g.now and w.run_at < timestamptz 'infinity'
                    order by w.run_at, w.id limit {{ScanLimit}}) f
            where (f.kind = any ($3) or f.place = {{ScanLimit}}) and not exists (select from held p)),
            (select count(*) from found) > (select count(*) from picked), null::timestamptz, null::boolean
        union all
        select w.id, w.level, w.run_at, w.attempt, w.crashes, w.kind, w.priority, w.max_attempts, w.created_at,
            case when w.fits then w.args end, w.has_key, w.timeout, case when w.fits then w.metadata end,
            case when w.fits then w.trace_parent end,
            case when (select exists (select from {schema}.cancellations)) then exists (select from {schema}.cancellations x
                where x.entry = w.id) else false end,
            null, null, null, null, null, null,
            case when w.expires_at is null or not w.found_by_id or not {{OutcomeSql.HasStarted("w.id")}} then w.expires_at end,
            w.found_by_id
        from held w
        """;

    /// <summary>How many rows of other kinds are read in search of a known kind. If none is found among them, the entry counts as possibly
    /// due, and a claim, which remembers its position, finds out.</summary>
    internal const string ScanLimit = "100";

    /// <summary>The longest wait that is returned: a row that was written by hand may wait for longer than .NET can say. An engine waits
    /// shorter.</summary>
    internal const string LongestWait = "interval '24 hours'";

    /// <summary>Whether an entry at its last chance is due. $1 queue number, $2 kind numbers, $3 the highest level of such
    /// entries.</summary>
    internal static readonly string HasLastChance = $$"""
        select exists (select from {schema}.queues q where q.id = $1 and not q.paused) and exists (
            select from generate_series({{CrashLevels.Lowest}}, $3::integer) l (level) cross join lateral (
                select w.kind, row_number() over (order by w.run_at, w.id) as place from {schema}.waiting w
                where w.queue = $1 and w.priority = l.level::smallint and w.run_at <= (select clock_timestamp())
                order by w.run_at, w.id limit {{ScanLimit}}) f
            where f.kind = any ($2) or f.place = {{ScanLimit}})
        """;

    private static string Levels(string args, string rowLocks)
    {
        var parts = args.Split(", ");
        return $$"""
            (select x.* from unnest({{parts[0]}}, {{parts[1]}}, {{parts[2]}}) l (level, after_time, after_id) cross join lateral (
                select w.ctid as tid, w.id, w.priority as level, w.run_at, w.attempt, w.crashes, w.found_by_id from {schema}.waiting w
                where w.queue = $2 and w.priority = l.level and (w.run_at, w.id) > (l.after_time, l.after_id) and w.run_at <= g.now
                    and w.kind = any ($3)
                order by w.run_at, w.id limit {{parts[3]}}{{rowLocks}}) x
            limit {{parts[3]}})
            """;
    }

    /// <summary>The claims of a node, oldest first. $1 node.</summary>
    internal const string List =
        "select c.id from {schema}.claims c where c.node = (select n.number from {schema}.nodes n where n.id = $1) order by c.id";

    /// <summary>Removes claims in which every entry has an outcome; other claims stay. $1 node, $2 claims.</summary>
    /// <remarks>An outcome under a claim's fence belongs to an entry that the claim has listed, so it suffices to count them, unless
    /// entries were taken out of the list. The entries of most claims have successive ids: then one walk over the index reads all outcomes,
    /// where a look-up for each entry would descend from the root a thousand times. For <c>= any (array[...])</c> see
    /// <see cref="OutcomeSql.FollowFinal"/>.</remarks>
    internal const string RemoveSettled = """
        with held as materialized (
            select c.id, c.entries, c.partly, cardinality(c.entries) as size, r.first, r.last
            from {schema}.claims c
            cross join lateral (select min(e.id) as first, max(e.id) as last from unnest(c.entries) e (id) offset 0) r
            where c.id = any ($2) and c.node = (select n.number from {schema}.nodes n where n.id = $1)
            for update of c skip locked
        )
        delete from {schema}.claims c using held h
        where c.id = any (array[h.id]) and h.size = case when not h.partly and h.last - h.first < 2 * h.size
            then (select count(*) from {schema}.outcomes o where o.entry between h.first and h.last and o.fence = h.id)
            else (select count(*) from {schema}.outcomes o where o.entry = any (h.entries) and o.fence = h.id) end
        """;
}
