using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements for the queries and commands of an operator.</summary>
internal static class OperatorSql
{
    /// <summary>Plans each list for the filters of the request.</summary>
    internal const string UseCustomPlan = "select set_config('plan_cache_mode', 'force_custom_plan', true)";

    /// <summary>How the transaction plans its statements, as <see cref="UsePlans"/> sets it.</summary>
    internal const string Plans = "select current_setting('plan_cache_mode')";

    /// <summary>Sets how the rest of the transaction plans its statements. $1 the mode.</summary>
    internal const string UsePlans = "select set_config('plan_cache_mode', $1::text, true)";

    /// <summary>The waiting row of entry <c>e</c>: found at the position where it was stored, or by its id.</summary>
    internal const string Place = $$"""
        lateral (
            select w.ctid as tid, w.* from {schema}.waiting w where w.id = e.id and {{WaitingSql.FoundById}}
            union all
            select w.ctid, w.* from {schema}.waiting w
            where w.queue = e.queue and w.priority = e.priority and w.run_at = e.created_at and w.id = e.id and not w.found_by_id
            offset 0) w
        """;

    /// <summary>All data of entries, newest first. $1 ids, $2 whether arguments and results are included.</summary>
    internal const string Read = $$"""
        with running as materialized (
            select c.id, c.claimed_at, {{NodeSql.Label}} as node, u.entry, a.attempt, a.crashes
            from {schema}.claims c
            join {schema}.nodes n on n.number = c.node
            cross join lateral unnest(c.entries) u (entry)
            left join lateral unnest(c.again, c.again_attempts, c.again_crashes) a (entry, attempt, crashes) on a.entry = u.entry
            where c.entries && $1 and u.entry = any($1)
                and (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id) is null
        )
        select e.id, k.name, q.name, e.priority, case when $2 then e.args
            else '' end, e.max_attempts, e.created_at, e.unique_key, (extract(epoch from e.timeout) * 1000000)::bigint, e.metadata,
            w.run_at, w.attempt, w.crashes,
            r.claimed_at, r.node, coalesce(r.attempt, 0::smallint), coalesce(r.crashes, 0::smallint),
            l.final, l.kind, l.ended_at, l.duration_ms, l.attempt, l.crashes, case
                when $2 then l.result end, l.error, l.reason, {{NodeSql.Label}},
            a.entry is not null, e.expires_at
        from {schema}.entries e
        join {schema}.kinds k on k.id = e.kind
        join {schema}.queues q on q.id = e.queue
        left join {{Place}} on true
        left join running r on r.entry = e.id
        left join lateral (select * from {schema}.outcomes o where o.entry = e.id order by o.final desc, o.fence desc limit 1) l on true
        left join {schema}.nodes n on n.number = l.node
        left join {schema}.cancellations a on a.entry = e.id
        where e.id = any($1)
        order by e.id desc
        """;

    /// <summary>The entries in each state: due, later, running, whether more are claimed, completed, whether more have ended, failed,
    /// cancelled, whether more of these. $1 queue, or null for all, $2 how many rows to read.</summary>
    /// <remarks>One statement, so that an entry that moves is counted once. Of the entries that ended, it reads the newest.</remarks>
    internal const string Count = $$"""
        with recursive clock as materialized (
            select clock_timestamp() as now
        ), chosen as materialized (
            select q.id from {schema}.queues q where $1::text is null or q.name = $1
        ), lane as (
            (select w.queue, w.priority from {schema}.waiting w order by w.queue, w.priority limit 1)
            union all
            select n.queue, n.priority from lane l cross join lateral (
                select w.queue, w.priority from {schema}.waiting w
                    where (w.queue, w.priority) > (l.queue, l.priority) order by w.queue, w.priority limit 1) n
        ), lined as materialized (
            select coalesce(sum(d.due), 0)::bigint as due, coalesce(sum(t.later), 0)::bigint as later
            from lane l cross join lateral (
                select count(*) as due from (
                    select from {schema}.waiting w where w.queue = l.queue and w.priority = l.priority
                        and w.run_at <= (select now from clock) limit $2::bigint + 1) w) d
            cross join lateral (
                select count(*) as later from (
                    select from {schema}.waiting w where w.queue = l.queue and w.priority = l.priority
                        and w.run_at > (select now from clock) limit $2::bigint + 1) w) t
            where l.queue in (select c.id from chosen c)
        ), held as materialized (
            select c.id as fence, u.entry from {schema}.claims c cross join lateral unnest(c.entries) u (entry) limit $2::bigint + 1
        ), newest as materialized (
            select o.entry, o.kind, o.final from {schema}.outcomes o order by o.entry desc, o.fence desc limit $2::bigint + 1
        ), unwell as materialized (
            select o.entry, o.kind from {schema}.outcomes o where o.final and o.kind <> {{Codes.OutcomeCompleted}}
                order by o.entry desc limit $2::bigint + 1
        ), ended as materialized (
            select count(*) filter (where u.kind = {{Codes.OutcomeFailed}}) as failed,
                count(*) filter (where u.kind <> {{Codes.OutcomeFailed}}) as cancelled from unwell u
            where $1::text is null or (select e.queue from {schema}.entries e where e.id = u.entry) in (select c.id from chosen c)
        )
        select l.due, l.later,
            (select count(*) from held h
                where (select o.entry from {schema}.outcomes o where o.entry = h.entry and o.fence = h.fence) is null
                    and ($1::text is null or (select e.queue from {schema}.entries e where e.id = h.entry) in (select c.id from chosen c))),
            (select count(*) > $2::bigint from held),
            (select count(*) from newest n
                where n.final and n.kind = {{Codes.OutcomeCompleted}} and ($1::text is null
                    or (select e.queue from {schema}.entries e where e.id = n.entry) in (select c.id from chosen c))),
            (select count(*) > $2::bigint from newest),
            d.failed, d.cancelled, (select count(*) > $2::bigint from unwell)
        from lined l, ended d
        """;

    /// <summary>Locks entries against being put back, cancelled or taken back by another operator. $1 ids.</summary>
    /// <remarks>Sent before each statement that asks whether entries have ended, or what has happened to them: the other statement has a
    /// snapshot of its own, which contains what this one has waited for.</remarks>
    internal const string LockEntries = """
        select count(*) from (select e.id from {schema}.entries e where e.id = any($1) order by e.id for no key update) e
        """;

    /// <summary>Stores cancel requests, before anything else; they stay until the entries end. $1 ids, locked by
    /// <see cref="LockEntries"/>. Returns the entries that have not ended, and the fence under which each one runs, if it does.</summary>
    /// <remarks>The lock has waited for an entry that is being put back, because <see cref="CancelWaitingPlaces"/> has to find it, and for
    /// another cancellation, which may have ended the entry. If there is a request already, the new one takes it over from the operation
    /// that made it, whose undo then leaves the entry.</remarks>
    internal const string RequestCancel = $$"""
        with known as materialized (
            select e.id from {schema}.entries e
            where e.id = any($1) and (select o.entry from {schema}.outcomes o where o.entry = e.id and o.final limit 1) is null
        ), asked as (
            insert into {schema}.cancellations (entry) select id from known order by id on conflict do nothing returning entry
        ), taken_over as (
            update {schema}.operation_entries p set fence = {{Codes.FenceOfOther}}
            where p.entry = any (array(select k.id from known k where k.id not in (select a.entry from asked a)))
                and p.run_at is null and p.result = {{Codes.ResultDone}}
                and (select o.action from {schema}.operations o where o.id = p.operation) = {{Codes.BulkCancel}}
        ), running as materialized (
            select u.entry, max(c.id) as fence from {schema}.claims c cross join lateral unnest(c.entries) u (entry)
            where c.entries && $1 and u.entry = any($1)
                and (select o.entry from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id) is null
            group by u.entry
        )
        select k.id, r.fence from known k left join running r on r.entry = k.id
        """;

    /// <summary>Locks the places of waiting entries against claims. $1 ids. A claim that is in progress keeps its entries.</summary>
    internal const string LockPlaces = $$"""
        select count(*) from (
            select w.id from {schema}.waiting w
            where w.ctid = any(array(select w.tid from {schema}.entries e cross join {{Place}} where e.id = any($1)))
                for update skip locked) w
        """;

    /// <summary>Withdraws the cancel requests of entries that have not ended. $1 ids, locked by <see cref="LockEntries"/>, $2 for each the
    /// fence of the run, or null if it is not known: if the entry has ended under that fence or a later one, and an operator has put it
    /// back, the request is a later one. If the run was only put back, by a sweep that did not see the request, it is still the same.
    /// Returns the entries that had one.</summary>
    internal static readonly string WithdrawCancel = $$"""
        delete from {schema}.cancellations x
        where x.entry = any($1::bigint[])
            and (select o.entry from {schema}.outcomes o where o.entry = x.entry and o.final limit 1) is null
            and (select o.entry from {schema}.outcomes o
                where o.entry = x.entry and o.fence >= ($2::bigint[])[array_position($1, x.entry)]
                    and o.kind in {{Codes.KindsThat(OutcomeRules.Ends)}} limit 1) is null
        returning x.entry
        """;

    /// <summary>Locks the outcomes that ended entries, against being taken back, erased or removed. $1 ids.</summary>
    internal const string LockEnds = """
        select count(*) from (
            select o.entry from {schema}.outcomes o where o.entry = any($1) and o.final order by o.entry for update) o
        """;

    /// <summary>Whether no later outcome than <c>o</c> has ended its entry. An entry has several such outcomes if it was run once more
    /// although it had ended; the newest one counts.</summary>
    internal const string EndedLast = """
        (select l.entry from {schema}.outcomes l where l.entry = o.entry and l.fence > o.fence and l.final limit 1) is null
        """;

    /// <summary>Locks the outcomes with which entries were cancelled at an operator's request. $1 ids, $2 for each the fence of the run,
    /// or null for any. Returns the entries. An entry that another transaction is changing is not among them.</summary>
    internal const string LockCancelled = $$"""
        select o.entry from {schema}.outcomes o
        where o.entry = any($1::bigint[]) and o.final and o.kind = {{Codes.OutcomeCancelled}} and o.reason = {{Codes.CancelRequested}}
            and o.fence = coalesce(($2::bigint[])[array_position($1, o.entry)], o.fence) and {{EndedLast}}
        order by o.entry for update skip locked
        """;

    // Ends entries whose waiting rows the preceding part deletes. $2 reason. For = any (array[...]) see OutcomeSql.FollowFinal.
    private const string EndTakenRows = $$"""
        returning id, attempt, crashes, run_at, priority
        ), done as (
            insert into {schema}.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final, reason)
            select id, nextval('{schema:literal}.fences'), 0, {{Codes.OutcomeCancelled}}, attempt, crashes, true, $2 from gone
            returning entry, ended_at, fence
        ), freed as (
            delete from {schema}.unique_keys where entry = any (array(select entry from done))
        ), answered as (
            delete from {schema}.cancellations where entry = any (array(select entry from done))
        ), closed as (
            update {schema}.tasks t set state = {{Codes.TaskCancelled}}, reason = $2, ended_at = d.ended_at
            from done d where t.entry_id = any (array[d.entry]) and {{Codes.TaskUnfinished}}
        )
        """;

    /// <summary>Ends entries whose waiting rows the preceding part deletes. $2 reason. Returns how many ended.</summary>
    internal const string EndTaken = EndTakenRows + " select count(*) from done";

    /// <summary>Ends waiting entries, each with an outcome under a fence of its own. $1 ids; $2 reason. Returns each entry that ended, the
    /// fence of its outcome, and the place at which it had waited.</summary>
    /// <remarks>Sent after the cancel request is stored. If a claim takes an entry in the meantime, this statement skips it, and the claim
    /// or the next poll finds the request. If the entry was the planned run of a job, the job has no planned run until job recovery plans
    /// the next due time.</remarks>
    internal const string CancelWaitingPlaces = TakePlaces + " " + EndTakenRows + """
         select distinct on (d.entry) d.entry, d.fence, g.run_at, g.priority, g.attempt, g.crashes
        from done d join gone g on g.id = d.entry order by d.entry, d.fence desc, g.run_at
        """;

    /// <summary>Ends waiting entries that hold unique keys, have not started and may no longer start. $1 ids, $2 reason. Returns each of
    /// them, and whether it has ended: if not, another transaction has locked its waiting row, to claim the entry or to end it. Also
    /// returns the entries that hold no key any more. The last column is whether the entry exists for this transaction.</summary>
    internal static readonly string EndExpired = $$"""
        with found as materialized (
            select e.id, w.tid from {schema}.entries e cross join {{Place}}
            where e.id = any ($1) and e.expires_at <= clock_timestamp() and not {{OutcomeSql.HasStarted("e.id")}}
        ), gone as (
            delete from {schema}.waiting where ctid = any(array(
                select w.ctid from {schema}.waiting w where w.ctid = any(array(select f.tid from found f)) for update skip locked))
        {{EndTakenRows}}
        select i.id, f.id is null or d.entry is not null, (select e.id from {schema}.entries e where e.id = i.id) is not null
        from unnest($1::bigint[]) i (id) left join found f on f.id = i.id left join done d on d.entry = i.id
        where f.id is not null or (select u.entry from {schema}.unique_keys u where u.entry = i.id) is null
        """;

    /// <summary>The first part of statements that take the places of waiting entries. $1 ids.</summary>
    internal static string TakeWaiting => TakePlaces;

    private const string TakePlaces = $$"""
        with gone as (
            delete from {schema}.waiting where ctid = any(array(
                select w.ctid from {schema}.waiting w
                where w.ctid = any(array(select w.tid from {schema}.entries e cross join {{Place}} where e.id = any($1)))
                    for update skip locked))
        """;

    /// <summary>Puts entries that failed or were cancelled back, with a fresh set of attempts, together with their tasks. $1 ids, $2
    /// whether they start from scratch, which deletes their steps and checkpoints, $3 when they run at the earliest, or null for now.
    /// Returns each entry that was put back, its queue, and the fence of the outcome that had ended it.</summary>
    /// <remarks>Clears the final mark of the outcome under the lock of its row: if two operators retry at once, the second one finds the
    /// mark gone. An entry that was run once more although it had ended has several such outcomes: the newest one decides, and all of them
    /// lose the mark. A unique key is taken again; if it is held, nothing happens. The entry waits at its own priority, because its earlier
    /// crashes no longer count. If another program has added a row of <c>waiting</c> for it, that row stays. For <c>= any (array[...])</c>
    /// see <see cref="OutcomeSql.FollowFinal"/>.</remarks>
    internal const string Retry = $$"""
        with ended as materialized (
            select o.entry, o.fence, o.kind, o.reason from {schema}.outcomes o
            where o.entry = any($1) and o.final
            order by o.entry, o.fence for update
        ), last as materialized (
            select distinct on (d.entry) d.entry, d.fence, d.kind, d.reason from ended d order by d.entry, d.fence desc
        ), entry as materialized (
            select e.id, e.queue, e.kind, e.priority, e.created_at, e.unique_key, d.fence from last d
                cross join lateral (select * from {schema}.entries e where e.id = d.entry offset 0) e
            where d.reason is distinct from {{Codes.Erased}}
                and d.kind in ({{Codes.OutcomeFailed}}, {{Codes.OutcomeCancelled}}, {{Codes.OutcomeSuperseded}})
        ), keyed as (
            insert into {schema}.unique_keys (kind, key, entry) select kind, unique_key, id from entry
                where unique_key is not null order by 1, 2
            on conflict do nothing returning entry
        ), free as materialized (
            select * from entry e where e.unique_key is null or e.id in (select entry from keyed)
        ), marked as (
            update {schema}.outcomes o set final = false from free f
                where o.entry = any (array[f.id]) and o.final
                returning o.entry
        ), answered as (
            delete from {schema}.cancellations where entry = any (array(select entry from marked))
        ), opened as (
            update {schema}.tasks t set state = {{Codes.TaskCreated}}, attempt = 0, crashes = 0, result = null, reason = null,
                started_at = null, ended_at = null
            from marked m where t.entry_id = any (array[m.entry]) and t.state in ({{Codes.TaskFailed}}, {{Codes.TaskCancelled}})
        ), tasks as materialized (
            select t.id from {schema}.tasks t where $2 and t.entry_id = any (array(select entry from marked))
        ), own_steps as (
            delete from {schema}.steps s where $2 and s.task is null and s.entry = any (array(select entry from marked))
        ), own_checkpoints as (
            delete from {schema}.checkpoints c where $2 and c.task is null and c.entry = any (array(select entry from marked))
        ), task_steps as (
            delete from {schema}.steps s where s.task = any (array(select id from tasks))
        ), task_checkpoints as (
            delete from {schema}.checkpoints c where c.task = any (array(select id from tasks))
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority)
            select greatest(clock_timestamp(), $3::timestamptz), e.id, e.queue, e.kind, e.priority from free e
                where e.id in (select m.entry from marked m) and {{WaitingSql.WaitsNowhere}}
            on conflict do nothing
        )
        select f.id, q.name, f.fence from free f join {schema}.queues q on q.id = f.queue where f.id in (select m.entry from marked m)
        """;

    /// <summary>Why entries were not retried. $1 ids. Returns each entry that exists with the number of an
    /// <see cref="OperatorResult"/>.</summary>
    internal const string WhyNotRetried = $$"""
        select e.id, case when o.kind is null then {{Codes.ResultNotEnded}}
                when o.kind = {{Codes.OutcomeCompleted}} then {{Codes.ResultCompleted}}
                when o.reason = {{Codes.Erased}} then {{Codes.ResultErased}} else {{Codes.ResultKeyHeld}} end
        from {schema}.entries e
        left join lateral (
            select o.kind, o.reason from {schema}.outcomes o where o.entry = e.id and o.final order by o.fence desc limit 1) o on true
        where e.id = any($1)
        """;

    /// <summary>Locks a queue. $1 its name. Returns whether it is paused, since when, by whom, why and until when.</summary>
    internal static readonly string LockPause = LockPauseIn("queues");

    /// <summary>As <see cref="LockPause"/>, for a kind.</summary>
    internal static readonly string LockKindPause = LockPauseIn("kinds");

    /// <summary>Pauses or resumes a queue. $1 queue, $2 whether it is paused, $3 by whom, $4 why, $5 until when. Writes no row if there is
    /// no such queue.</summary>
    internal static readonly string SetPaused = SetPausedIn("queues");

    /// <summary>As <see cref="SetPaused"/>, and adds the queue if there is none.</summary>
    internal static readonly string AddPaused = AddPausedIn("queues");

    /// <summary>As <see cref="SetPaused"/>, for a kind.</summary>
    internal static readonly string SetKindPaused = SetPausedIn("kinds");

    /// <summary>As <see cref="AddPaused"/>, for a kind.</summary>
    internal static readonly string AddKindPaused = AddPausedIn("kinds");

    /// <summary>Resumes the queues and kinds whose pause has ended. Returns what they are, and their names.</summary>
    internal const string ResumeDue = """
        with queues as (
            update {schema}.queues q set paused = false, paused_at = null, paused_by = null, paused_reason = null, paused_until = null
            where q.paused and q.paused_until <= clock_timestamp() returning q.name
        ), kinds as (
            update {schema}.kinds k set paused = false, paused_at = null, paused_by = null, paused_reason = null, paused_until = null
            where k.paused and k.paused_until <= clock_timestamp() returning k.name
        )
        select 'queue ' || q.name from queues q union all select 'kind ' || k.name from kinds k
        """;

    private static string LockPauseIn(string table) => $$"""
        select q.paused, q.paused_at, q.paused_by, q.paused_reason, q.paused_until from {schema}.{{table}} q where q.name = $1::text
            for no key update
        """;

    private static string SetPausedIn(string table) => $$"""
        update {schema}.{{table}} q set paused = $2,
            paused_at = case when not $2 then null when q.paused then q.paused_at else clock_timestamp() end,
            paused_by = $3::text, paused_reason = $4::text, paused_until = $5::timestamptz
        where q.name = $1
        """;

    private static string AddPausedIn(string table) => $$"""
        insert into {schema}.{{table}} as q (name, paused, paused_at, paused_by, paused_reason, paused_until)
        values ($1, $2, case when $2 then clock_timestamp() end, $3::text, $4::text, $5::timestamptz)
        on conflict (name) do update set
            paused = excluded.paused, paused_at = case when q.paused and excluded.paused then q.paused_at else excluded.paused_at end,
            paused_by = excluded.paused_by, paused_reason = excluded.paused_reason, paused_until = excluded.paused_until
        """;

    /// <summary>How many entries are due in each queue, counted up to 100,000, and how long the first of them has been due. $1 how many
    /// queues at most: those with the most due entries, then the oldest; $2 after how many lanes it stops, with the end of a queue. Each
    /// row states how many queues were skipped, counted up to 100,000.</summary>
    /// <remarks>Reads only lanes (queue and level) that contain rows, by skipping through the index: a queue that is no longer used costs
    /// one row of the answer. What is due in the queues after the last lane is not known, so they are skipped. Of a lane, reads what is
    /// due: compared with a clock that is read for each row, the index would not find where that ends.</remarks>
    internal const string Measure = """
        with recursive lane as (
            (select w.queue, w.priority, 1 as place from {schema}.waiting w order by w.queue, w.priority limit 1)
            union all
            select n.queue, n.priority, l.place + 1 from lane l cross join lateral (
                select w.queue, w.priority from {schema}.waiting w
                    where (w.queue, w.priority) > (l.queue, l.priority) order by w.queue, w.priority limit 1) n
            where l.place < $2 or n.queue = l.queue
        ), lined as materialized (
            select l.queue, least(sum(d.due), 100000)::bigint as due, min(f.run_at) as first
            from lane l cross join lateral (
                select count(*) as due from (
                    select from {schema}.waiting w
                    where w.queue = l.queue and w.priority = l.priority and w.run_at <= (select clock_timestamp()) limit 100000) w) d
            left join lateral (
                select w.run_at from {schema}.waiting w
                where w.queue = l.queue and w.priority = l.priority and w.run_at <= (select clock_timestamp())
                order by w.run_at limit 1) f on true
            group by l.queue
        ), oldest as materialized (
            select q.id from {schema}.queues q
            where q.id <= (select l.queue from lane l order by l.place desc limit 1) or (select count(*) from lane) < $2
            order by q.id limit $1
        ), chosen as materialized (
            select c.queue, c.due, c.first from (
                select l.queue, l.due, l.first from lined l where exists (select from {schema}.queues q where q.id = l.queue)
                union all
                select o.id, 0, null from oldest o where o.id not in (select l.queue from lined l)
            ) c
            order by c.due desc, c.queue limit $1
        )
        select q.name, c.due,
            case when c.first is not null
                then extract(epoch from clock_timestamp() - greatest(c.first, timestamptz '1970-01-01 00:00Z'))::float8 end,
            (select count(*) from (select from {schema}.queues limit 100000) a) - (select count(*) from chosen)
        from chosen c join {schema}.queues q on q.id = c.queue order by q.name
        """;
}
