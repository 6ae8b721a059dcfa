using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that recover entries that dead nodes or lost answers left in claims.</summary>
internal static class RecoverySql
{
    /// <summary>Dead nodes that may still have claims: their numbers and names.</summary>
    internal const string DeadNodes =
        "select n.number, n.name from {schema}.nodes n where n.dead_at is not null and n.swept_at is null order by n.number";

    /// <summary>Marks a dead node as swept if it has no claims. The mark is final: no claim is made for a dead node, and none was in
    /// progress when it was declared dead. $1 node's number.</summary>
    /// <remarks>Removes the steps in which its entries were: an erasure of an entry finds its own black boxes, but not its node.</remarks>
    internal static readonly string MarkSwept = $$"""
        update {schema}.nodes n set swept_at = clock_timestamp(), vitals = {{WithSteps("n.vitals", "''")}}
        where n.number = $1 and n.dead_at is not null and not exists (select from {schema}.claims c where c.node = $1)
        """;

    /// <summary>Allows one sweep of a node at a time, because the number of suspects is counted over all its claims. $1 node's
    /// number.</summary>
    internal const string LockNode = "select n.number from {schema}.nodes n where n.number = $1 for update skip locked";

    /// <summary>Locks a dead node's claims against outcomes and steps. Claims with an outcome or a step in progress are skipped and left to
    /// the next sweep. $1 node's number.</summary>
    internal const string LockClaims = "select c.id from {schema}.claims c where c.node = $1 order by c.id for no key update skip locked";

    /// <summary>The claims in which no caller's transaction is about to end an entry. $1 claims, locked.</summary>
    internal const string LockWhole = "select c.id from {schema}.claims c where c.id = any ($1) order by c.id for update skip locked";

    /// <summary>The entries, in the other claims, that no caller's transaction is about to end. $1 claims, locked.</summary>
    internal const string LockEntries = """
        select e.id from {schema}.entries e
        where e.id = any (array(select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry) where c.id = any ($1)))
        order by e.id for update skip locked
        """;

    /// <summary>Locks the entries with a cancel request against its withdrawal, until their outcomes are committed. $1 claims, locked.
    /// Returns the entries. One that another transaction is changing is not among them.</summary>
    /// <remarks>Nearly always there is no request, and this locks and writes nothing.</remarks>
    internal const string LockRequested = """
        select e.id from {schema}.entries e
        where (select exists (select from {schema}.cancellations)) and e.id = any (array(
            select x.entry from {schema}.cancellations x
            where x.entry = any (array(
                select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry) where c.id = any ($1)))))
        order by e.id for share skip locked
        """;

    /// <summary>Locks the unfinished tasks of the entries, and skips those that another transaction has locked. $1 claims, locked, so that
    /// no start under them adds a task. Returns the entries of the skipped tasks.</summary>
    /// <remarks>A user of the database may keep the row of a task locked for as long as a transaction lasts.</remarks>
    internal const string LockTasks = $$"""
        with listed as materialized (
            select u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry) where c.id = any ($1)
        ), free as materialized (
            select t.entry_id from {schema}.tasks t
            where t.entry_id = any (array(select l.entry from listed l)) and {{Codes.TaskUnfinished}} for no key update skip locked
        )
        select t.entry_id from {schema}.tasks t
        where t.entry_id = any (array(select l.entry from listed l)) and {{Codes.TaskUnfinished}}
            and t.entry_id not in (select f.entry_id from free f)
        """;

    /// <summary>Locks claims of a living node. $1 node, $2 claims.</summary>
    internal const string LockOwnClaims = """
        select c.id from {schema}.claims c
        where c.id = any ($2) and c.node = (select n.number from {schema}.nodes n where n.id = $1)
        order by c.id for update skip locked
        """;

    // isHeldBack: whether a caller's transaction is about to end the entry, or its task is locked. requested: the result of LockRequested.
    // A request of another entry is about to be withdrawn, or was stored since: that entry stays in its claim until the next time.
    private static string Unfinished(string isHeldBack, string requested) => $$"""
        with clock as materialized (select clock_timestamp() as now),
        taken as materialized (
            select c.id, c.node, c.claimed_at, c.entries, c.again, c.again_attempts, c.again_crashes, c.partly, n.label as name, n.stopped,
                n.dead_at, n.proof, n.declared_by, n.vitals
            from {schema}.claims c cross join lateral (
                select n.*, {{NodeSql.Label}} as label from {schema}.nodes n where n.number = c.node offset 0) n
            where c.id = any ($1)
        ), unfinished as materialized (
            select u.entry, t.id as fence, t.node, t.claimed_at, t.name, t.stopped, t.partly,
                {{isHeldBack}} or r.cancelled and u.entry <> all ({{requested}})
                    and (select e.id from {schema}.entries e where e.id = u.entry) is not null as held_back,
                coalesce(t.again_attempts[array_position(t.again, u.entry)], 0::smallint) as attempt,
                coalesce(t.again_crashes[array_position(t.again, u.entry)], 0::smallint) as crashes, r.cancelled
            from taken t cross join lateral unnest(t.entries) u (entry)
            cross join lateral (
                select case when (select exists (select from {schema}.cancellations)) then exists (
                    select from {schema}.cancellations x where x.entry = u.entry) else false end as cancelled offset 0) r
            where (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = t.id) is null
        ), beside as materialized (
            select u.entry from unfinished u order by u.entry limit {{StoredBlackBox.MaxBeside + 1}}
        )
        """;

    // What was known of the node, see StoredBlackBox. The entries beside an entry are among the first ones of the node: a search over all
    // of them for each entry would make the cost of a sweep grow with the square of their number.
    private static readonly string BlackBox = $$"""
        jsonb_build_object(
                    'beside', (select coalesce(jsonb_agg(b.entry), '[]') from (
                        select u.entry from beside u where u.entry <> j.entry order by u.entry limit {{StoredBlackBox.MaxBeside}}) b),
                    'progress_us', (select (extract(epoch from coalesce(case when isfinite(t.dead_at) then t.dead_at end, c.now)
                            - max(p.stored_at) filter (where isfinite(p.stored_at))) * 1000000)::bigint from (
                        select s.stored_at from {schema}.steps s where s.entry = j.entry and s.fence = j.fence
                        union all
                        select k.stored_at from {schema}.checkpoints k where k.entry = j.entry and k.fence = j.fence) p),
                    'proof', t.proof, 'by', t.declared_by, 'vitals', {{WithSteps("t.vitals", OwnStep)}})::text
        """;

    // See StoredVitals.WithStepOf.
    private const string OwnStep = """
        case when strpos(t.vitals, '"' || j.entry || '":"') > 0
            then '"' || j.entry || '":"' || split_part(split_part(t.vitals, '"' || j.entry || '":"', 2), '"', 1) || '"' else '' end
        """;

    private static string WithSteps(string vitals, string steps) => $$"""
        case when strpos({{vitals}}, '{{StoredVitals.Steps}}') > 0
            then left({{vitals}}, strpos({{vitals}}, '{{StoredVitals.Steps}}') + {{StoredVitals.Steps.Length - 1}})
                || {{steps}} || '}' || '}'
            else {{vitals}} end
        """;

    // Whether the entry of outcome d has not ended under another claim that lists it too.
    private const string HasNotEnded = """
        d.entry <> all (array(select x.entry from done x where x.final))
                and (select o.entry from {schema}.outcomes o where o.entry = d.entry and o.final limit 1) is null
        """;

    // releaseReason: why an entry is released. For = any (array[...]) see OutcomeSql.FollowFinal. An entry may wait already: another
    // program has added a row of waiting while the entry ran, or two claims list the entry. One such entry must not stop the sweep.
    // kept: another transaction may hold an entry back for hours, and while it does, no old version of a row can be removed.
    private static string Settle(string releaseReason) => $$"""
        , done as (
            insert into {schema}.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, error, reason,
                black_box)
            select j.entry, j.fence, c.now, {{OutcomeSql.Milliseconds("j.claimed_at", "c.now")}},
                j.node, j.kind, j.attempt, j.crashes, j.kind in ({{Codes.OutcomeFailed}}, {{Codes.OutcomeCancelled}}),
                case when j.kind = {{Codes.OutcomeFailed}}
                    then j.died || '{{CrashLoopText.Died}}' || t.name || '{{CrashLoopText.WasAlone}}' end,
                case j.kind when {{Codes.OutcomeFailed}} then {{Codes.CrashLoop}}
                    when {{Codes.OutcomeCancelled}} then {{Codes.CancelRequested}}
                    when {{Codes.OutcomeReleased}} then {{releaseReason}} end,
                case when j.kind in ({{Codes.OutcomeFailed}}, {{Codes.OutcomeLost}}) then {{BlackBox}} end
            from judged j join taken t on t.id = j.fence cross join clock c
            on conflict do nothing
            returning *
        ){{OutcomeSql.FollowFinal}}, back as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select d.ended_at, d.entry, e.queue, e.kind, {{OutcomeSql.Level("e.priority", "d.crashes", "true")}}, d.attempt, d.crashes
            from done d cross join lateral (select * from {schema}.entries e where e.id = d.entry offset 0) e
            where not d.final and {{HasNotEnded}} and {{WaitingSql.WaitsNowhere}}
            on conflict do nothing
        ), reopened as (
            update {schema}.tasks t set state = {{Codes.TaskCreated}}, attempt = d.attempt, crashes = d.crashes
            from done d
            where not d.final and t.entry_id = any (array[d.entry]) and {{Codes.TaskUnfinished}}
                and {{HasNotEnded}}
        ), removed as (
            delete from {schema}.claims c where c.id = any ($1)
                and not exists (select from unfinished u where u.fence = c.id and u.held_back)
        ), kept as (
            update {schema}.claims c set partly = true, entries = k.entries
            from (select u.fence, array_agg(u.entry) as entries from unfinished u where u.held_back group by u.fence) k
            where c.id = any (array[k.fence]) and (not c.partly or cardinality(c.entries) <> cardinality(k.entries))
        )
        select d.entry, d.final, d.crashes, case when d.final then d.reason end, k.name, q.name, j.name, t.id,
            j.dead_at is not null and not j.stopped
        from done d
        cross join lateral (select e.kind, e.queue from {schema}.entries e where e.id = d.entry offset 0) e
        join {schema}.kinds k on k.id = e.kind
        join {schema}.queues q on q.id = e.queue
        join taken j on j.id = d.fence
        left join lateral (select t.id from {schema}.tasks t where t.entry_id = d.entry offset 0) t on true
        order by d.entry
        """;

    /// <summary>Recovers the unfinished entries of dead nodes. $1 their claims, locked; $2 the maximum number of crashes of an entry; $3
    /// the claims that only the entries in $4 may be taken from; $5 the result of <see cref="LockRequested"/>, $6 that of
    /// <see cref="LockTasks"/>. Each entry's crash is
    /// counted; if a step or checkpoint was stored under this fence, the count restarts at one. If an entry exceeds the limit and was the
    /// only suspect there, it ends; otherwise it gets a last chance. An entry that an earlier sweep had to leave in its claim always gets
    /// one, because it is not known whether it was the only suspect.</summary>
    /// <returns>Entry, whether it ended, crashes, reason, kind, queue, node, task, whether the node died.</returns>
    internal static readonly string Sweep = Unfinished("t.id = any ($3) and u.entry <> all ($4) or u.entry = any ($6)", "$5") + $$"""
        , counted as materialized (
            select u.*,
                case when u.stopped then u.crashes
                    when (select s.entry from {schema}.steps s where s.entry = u.entry and s.fence = u.fence limit 1) is not null
                        or (select p.entry from {schema}.checkpoints p where p.entry = u.entry and p.fence = u.fence) is not null then 1
                    else u.crashes + 1 end as died,
                count(*) filter (where u.crashes >= least({{CrashLevels.SuspectFrom}}, $2)) over () as suspects
            from unfinished u
        ), judged as (
            select u.entry, u.fence, u.node, u.claimed_at, u.attempt, u.died,
                case when u.stopped then u.crashes else least(u.died, $2) end::smallint as crashes,
                case when u.cancelled then {{Codes.OutcomeCancelled}}
                    when u.stopped then {{Codes.OutcomeReleased}}
                    when u.died > $2 and u.suspects = 1 and not u.partly then {{Codes.OutcomeFailed}}
                    else {{Codes.OutcomeLost}} end::smallint as kind
            from counted u
            where not u.held_back
        )
        """ + Settle("null");

    /// <summary>Releases entries that are claimed for a living node which does not know of the claim. $1 its claims, locked; $2 the result
    /// of <see cref="LockRequested"/>, $3 that of <see cref="LockTasks"/>. No crash is counted.</summary>
    /// <returns>As <see cref="Sweep"/>.</returns>
    internal static readonly string Release = Unfinished("u.entry = any ($3)", "$2") + $$"""
        , judged as (
            select u.entry, u.fence, u.node, u.claimed_at, u.attempt, u.crashes, u.crashes as died,
                case when u.cancelled then {{Codes.OutcomeCancelled}} else {{Codes.OutcomeReleased}} end::smallint as kind
            from unfinished u
            where not u.held_back
        )
        """ + Settle(Codes.NotStarted);

    /// <summary>The invariant: every entry is in exactly one place: waiting, running or ended; and the rules of
    /// <see cref="JobInvariantSql"/>.</summary>
    /// <returns>A line for each violation, at most 1,000.</returns>
    internal const string Invariant = """
        with places as (
            select w.id as entry, 'waiting' as place from {schema}.waiting w
            union all
            select u.entry, 'running under claim ' || c.id
            from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
            where not exists (select from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id)
            union all
            select o.entry, 'ended under claim ' || o.fence from {schema}.outcomes o where o.final
        ), found as (
            select p.entry, count(*) as places, string_agg(p.place, ', ' order by p.place) as text from places p group by p.entry
        )
        (select 'entry ' || coalesce(e.id, f.entry) || ' ' || case
                when e.id is null then 'does not exist, but is ' || f.text
                when f.entry is null then 'is neither waiting nor running nor ended'
                else 'is in ' || f.places || ' places: ' || f.text end
        from {schema}.entries e full join found f on f.entry = e.id
        where e.id is null or f.entry is null or f.places <> 1
        limit 1000)
        union all
        (select 'unique key ''' || u.key || ''' is held by entry ' || u.entry || ', which ' || case when e.id is null then 'does not exist'
            else 'has ended' end
        from {schema}.unique_keys u left join {schema}.entries e on e.id = u.entry
        where e.id is null or exists (select from {schema}.outcomes o where o.entry = u.entry and o.final)
        limit 1000)
        union all
        (select 'entry ' || w.id || ' waits at a place where a look-up by id misses it'
        from {schema}.waiting w cross join lateral (select * from {schema}.entries e where e.id = w.id offset 0) e
        where not w.found_by_id and (w.queue, w.priority, w.run_at) is distinct from (e.queue, e.priority, e.created_at)
        limit 1000)
        union all
        (select 'entry ' || e.id || ' is of queue number ' || e.queue || ' and kind number ' || e.kind || ', which have no names'
        from {schema}.entries e
        where not exists (select from {schema}.queues q where q.id = e.queue)
            or not exists (select from {schema}.kinds k where k.id = e.kind)
        limit 1000)
        union all
        (select 'entry ' || w.id || ' waits with a queue or kind that is not its own'
        from {schema}.waiting w cross join lateral (select * from {schema}.entries e where e.id = w.id offset 0) e
        where w.found_by_id and (w.queue, w.kind) is distinct from (e.queue, e.kind)
        limit 1000)
        union all

        """ + JobInvariantSql.Clauses;
}
