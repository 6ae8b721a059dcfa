using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>operations</c> and <c>operation_entries</c>.</summary>
internal static class OperationSql
{
    private const string Columns = """
        o.id, o.action, o.state, o.query, o.ids, o.retry_from, o.retry_at, o.undoes, o.undone_by, o.actor, o.reason, o.tool,
            o.created_at, o.started_at, o.ended_at, o.up_to_id, o.position, o.expected, o.expected_precision, o.done, o.refused
        """;

    /// <summary>Stores an operation. $1 action, $2 query, $3 ids, $4 where retried entries start, $5 when they run, $6 actor, $7 reason, $8
    /// tool, $9 expected entries, $10 precision of that number, $11 highest entry id, or null for that of now. Returns the
    /// operation.</summary>
    internal const string Prepare = $$"""
        insert into {schema}.operations as o (action, query, ids, retry_from, retry_at, actor, reason, tool, expected, expected_precision,
            up_to_id, position)
        select $1::smallint, $2::text, $3::bigint[], $4::smallint, $5::timestamptz, $6::text, $7::text, $8::text, $9::bigint, $10::smallint,
            l.id,
            greatest(l.id, (select max(i.id) from unnest($3::bigint[]) i (id))) + 1
        from (select coalesce($11::bigint, max(e.id), 0) as id from {schema}.entries e) l
        returning {{Columns}}
        """;

    /// <summary>Locks an operation. $1 id. Returns it, whether it has ended, or was prepared if it has not ended, within $2 microseconds,
    /// and the state of the operation that reverses it, if there is one.</summary>
    internal const string Lock = $$"""
        select {{Columns}}, coalesce(o.ended_at, o.created_at) > clock_timestamp() - $2::bigint * interval '1 microsecond',
            (select u.state from {schema}.operations u where u.id = o.undone_by)
        from {schema}.operations o
        where o.id = $1::bigint for update
        """;

    /// <summary>Locks a running operation, unless another process does a step of it. $1 id.</summary>
    internal const string LockStep = $"select {Columns} from {{schema}}.operations o "
        + $"where o.id = $1::bigint and o.state = {Codes.OperationRunning} for update skip locked";

    /// <summary>Limits how long the later statements of the transaction wait for a lock. $1 the limit in milliseconds.</summary>
    internal const string LimitWait = "select set_config('lock_timeout', $1::text, true)";

    /// <summary>Starts an operation. $1 id, $2 the reason, or null for the one with which it was prepared. Returns it.</summary>
    internal const string Start = $"update {{schema}}.operations o set state = {Codes.OperationRunning}, started_at = clock_timestamp(), "
        + $"reason = coalesce($2::text, o.reason)\nwhere o.id = $1::bigint returning {Columns}";

    /// <summary>Stops an operation. $1 id. Returns it.</summary>
    internal const string Stop = $"update {{schema}}.operations o set state = {Codes.OperationStopped}, ended_at = clock_timestamp() "
        + $"where o.id = $1::bigint returning {Columns}";

    /// <summary>Stores and starts the operation that reverses another one, from where an undo before was stopped. $1 the other one's id, $2
    /// actor, $3 reason, $4 tool. Returns the new one.</summary>
    internal const string Undo = $$"""
        with added as (
            insert into {schema}.operations as o (action, state, query, undoes, actor, reason, tool, expected, expected_precision, up_to_id,
                position, started_at)
            select {{Codes.BulkUndo}}, {{Codes.OperationRunning}}, u.query, u.id, $2::text, $3::text, $4::text,
                case when p.id is null then u.done else greatest(p.expected - p.done - p.refused, 0) end, 0, u.up_to_id,
                coalesce(p.position, greatest(u.up_to_id, (
                    select max(e.entry) from {schema}.operation_entries e where e.operation = u.id)) + 1),
                clock_timestamp()
            from {schema}.operations u left join {schema}.operations p on p.id = u.undone_by where u.id = $1::bigint
            returning {{Columns}}
        ), marked as (
            update {schema}.operations u set undone_by = a.id from added a where u.id = $1::bigint
        )
        select * from added
        """;

    /// <summary>Stores the progress of a step. $1 id, $2 position, $3 how many were changed, $4 how many were not, $5 whether it has ended.
    /// Returns the operation.</summary>
    internal const string Advance = $$"""
        update {schema}.operations o set position = $2::bigint, done = o.done + $3::bigint, refused = o.refused + $4::bigint,
            state = {{IfEnded}} {{Codes.OperationEnded}} else o.state end, ended_at = {{IfEnded}} clock_timestamp() end
        where o.id = $1::bigint returning {{Columns}}
        """;

    private const string IfEnded = "case when $5::boolean then";

    /// <summary>Stores what a step did to each entry. $1 operation, then arrays: $2 entries, $3 results, $4 fences, $5 due times, $6
    /// levels, $7 attempts, $8 crashes.</summary>
    internal const string AddEntries = """
        insert into {schema}.operation_entries (operation, entry, result, fence, run_at, level, attempt, crashes)
        select $1::bigint, g.* from unnest($2, $3, $4, $5, $6, $7, $8) g order by 2
        """;

    /// <summary>What an operation has changed, highest id first, and whether it cancels. $1 operation, $2 only ids below this one, $3 how
    /// many at most.</summary>
    internal const string Changed = $$"""
        select e.entry, e.fence, e.run_at, e.level, e.attempt, e.crashes,
            coalesce((select o.action from {schema}.operations o where o.id = $1::bigint) = {{Codes.BulkCancel}}, false)
        from {schema}.operation_entries e
        where e.operation = $1::bigint and e.result = {{Codes.ResultDone}} and e.entry < $2::bigint order by e.entry desc limit $3::bigint
        """;

    /// <summary>The entries whose cancel requests are still those of an operation: no other request followed. $1 operation, $2 ids, locked
    /// by <see cref="OperatorSql.LockEntries"/>.</summary>
    internal const string Asked = $$"""
        select e.entry from {schema}.operation_entries e
        where e.operation = $1::bigint and e.entry = any ($2::bigint[]) and e.fence is distinct from {{Codes.FenceOfOther}}
        """;

    /// <summary>One operation. $1 id.</summary>
    internal const string Find = $$"""
        select {{Columns}} from {schema}.operations o where o.id = $1::bigint
        """;

    /// <summary>One operation, if it has a scope. $1 id, $2 the text of that scope in a stored query.</summary>
    internal const string FindInScope = $$"""
        {{Find}} and strpos(o.query, $2::text) > 0
        """;

    /// <summary>Operations that were started, newest first. $1 only ids below this one, $2 how many at most.</summary>
    internal const string List = $"select {Columns} from {{schema}}.operations o "
        + $"where o.id < $1::bigint and o.state > {Codes.OperationPrepared} order by o.id desc limit $2::bigint";

    /// <summary>The entries of an operation. $1 operation, $2 only ids above this one, $3 whether only those that it could not change, $4
    /// how many at most.</summary>
    internal const string ListEntries = $$"""
        select e.entry, e.result from {schema}.operation_entries e
        where e.operation = $1::bigint and e.entry > $2::bigint and (not $3::boolean or e.result <> {{Codes.ResultDone}})
        """ + " order by e.entry limit $4::bigint";

    /// <summary>What operations did to an entry, newest first. $1 entry, $2 how many at most.</summary>
    internal const string OfEntry = """
        select o.id, o.action, e.result, o.actor, o.reason, o.tool, coalesce(o.started_at, o.created_at), o.undoes,
            o.retry_from, o.retry_at
        from {schema}.operation_entries e join {schema}.operations o on o.id = e.operation
        where e.entry = $1::bigint order by e.operation desc limit $2::bigint
        """;

    /// <summary>The running operations, oldest first.</summary>
    internal const string Running =
        $"select o.id from {{schema}}.operations o where o.state = {Codes.OperationRunning} order by o.id";

    /// <summary>Puts cancelled entries back at the place at which they had waited. Arrays: $1 ids, $2 the fences of the outcomes that
    /// cancelled them, $3 due times, $4 levels, $5 attempts, $6 crashes. Returns each entry that was put back, and its queue.</summary>
    /// <remarks>A run that waited for the end of a pause is due now if the pause is over: the resume did not find it, and has removed its
    /// row of <c>paused_runs</c>. Sent after <see cref="PausedRunSql.LockJobs"/>. For <c>= any (array[...])</c> see
    /// <see cref="OutcomeSql.FollowFinal"/>.</remarks>
    internal static readonly string Restore = $$"""
        with given as materialized (
            select g.* from unnest($1, $2, $3, $4, $5, $6) g (id, fence, run_at, level, attempt, crashes)
        ), ended as materialized (
            select o.entry, o.fence from (select g.id, g.fence from given g order by g.id) g cross join lateral (
                select o.entry, o.fence from {schema}.outcomes o
                where o.entry = g.id and o.fence = g.fence and o.final and o.kind = {{Codes.OutcomeCancelled}}
                    and o.reason is distinct from {{Codes.Erased}} and {{OperatorSql.EndedLast}}
                for update) o
        ), entry as materialized (
            select e.id, e.queue, e.kind, e.priority, e.created_at, e.unique_key, d.fence from ended d cross
                join lateral (select * from {schema}.entries e where e.id = d.entry offset 0) e
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
            update {schema}.tasks t set state = {{Codes.TaskCreated}}, reason = null, started_at = null, ended_at = null
            from marked m where t.entry_id = any (array[m.entry]) and t.state in ({{Codes.TaskFailed}}, {{Codes.TaskCancelled}})
        ), place as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select case when {{OutcomeSql.WasPutBackForPause("o.entry = g.id and o.fence < g.fence")}}
                    and not exists (select from {schema}.paused_runs p where p.entry = g.id)
                    then least(g.run_at, clock_timestamp()) else g.run_at end,
                e.id, e.queue, e.kind, g.level, g.attempt, g.crashes
            from free e join given g on g.id = e.id where e.id in (select m.entry from marked m) and {{WaitingSql.WaitsNowhere}}
            on conflict do nothing
        )
        select f.id, q.name from free f join {schema}.queues q on q.id = f.queue where f.id in (select m.entry from marked m)
        """;

    /// <summary>Ends entries that were retried and wait since then as they had ended before: takes their places, and sets the final mark of
    /// the outcomes that the retry had taken back. Arrays: $1 ids, locked by <see cref="OperatorSql.LockEntries"/>, $2 the fences of these
    /// outcomes. Returns the entries.</summary>
    internal static readonly string EndAgain = OperatorSql.TakeWaiting + $$"""
         returning id
        ), ended as (
            update {schema}.outcomes o set final = true from gone n
            where o.entry = any (array[n.id]) and o.fence = ($2::bigint[])[array_position($1::bigint[], n.id)]
            returning o.entry, o.ended_at, o.duration_ms, o.node, o.kind, o.attempt, o.crashes, o.result, o.error, o.reason
        ), freed as (
            delete from {schema}.unique_keys where entry = any (array(select entry from ended))
        ), answered as (
            delete from {schema}.cancellations where entry = any (array(select entry from ended))
        ), closed as (
            update {schema}.tasks t set state = {{Codes.TaskStateOf("d.kind")}}, attempt = d.attempt, crashes = d.crashes,
                result = d.result, error = coalesce(d.error, t.error), reason = d.reason, ended_at = d.ended_at,
                started_at = case when d.node is not null then d.ended_at - d.duration_ms * interval '1 millisecond' end
            from ended d where t.entry_id = any (array[d.entry]) and t.state = {{Codes.TaskCreated}}
        )
        select entry from ended
        """;

    /// <summary>Which entries have ended no run since an outcome was stored, which is still kept. Arrays: $1 ids, locked by
    /// <see cref="OperatorSql.LockEntries"/>, $2 fences. An entry that runs is among them, but has no waiting row.</summary>
    internal const string Unrun = """
        select g.id from unnest($1, $2) g (id, fence)
        where (select o.entry from {schema}.outcomes o where o.entry = g.id and o.fence > g.fence limit 1) is null
            and (select o.entry from {schema}.outcomes o where o.entry = g.id and o.fence = g.fence) is not null
        order by g.id
        """;

    /// <summary>Removes some entries of an old operation, and the operation with the last of them. $1 how many entries at most, $2 how long
    /// operations are kept, in microseconds. Returns whether there was one.</summary>
    /// <remarks>Its undo may still run, and needs the entries. Its lock keeps away an undo that begins at this moment.</remarks>
    internal const string Purge = $$"""
        with old as materialized (
            select o.id from {schema}.operations o
            where ((o.state > {{Codes.OperationRunning}} and o.ended_at < clock_timestamp() - $2::bigint * interval '1 microsecond')
                    or (o.state = {{Codes.OperationPrepared}} and o.created_at < clock_timestamp() - interval '1 day'))
                and not exists (select from {schema}.operations u where u.undoes = o.id and u.state = {{Codes.OperationRunning}})
            order by o.id limit 1 for update skip locked
        ), entries as (
            delete from {schema}.operation_entries e
            where e.operation = (select id from old) and e.entry = any (array(
                select f.entry from {schema}.operation_entries f
                where f.operation = (select id from old) order by f.entry limit $1::bigint))
            returning 1
        ), removed as (
            delete from {schema}.operations o where o.id = (select id from old) and (select count(*) from entries) < $1::bigint
        )
        select exists (select from old)
        """;
}
