using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements that run in a node's session.</summary>
internal static class NodeSql
{
    /// <summary>How a node is shown (<see cref="TaskRecovery.Storage.NodeRules.Label"/>).</summary>
    internal const string Label = "case when n.named and n.name <> '' then n.name else n.id::text end";

    // Reads the session locks from pg_locks instead of trying to take them. Any login can take any advisory lock. The number of the
    // database comes from a view, because a hoster may not let roles read the catalog of databases.
    private const string HeldLocks = """
        held as materialized (
            select (l.classid::bigint << 32) | l.objid::bigint as key, l.pid from pg_locks l
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
                and l.database = (select d.datid from pg_stat_database d where d.datname = current_database())
        )
        """;

    /// <summary>Joins the last heartbeat of node <c>n</c>, as <c>b</c>. A dead node has none, and neither has one whose row an operator
    /// has deleted.</summary>
    /// <remarks>A heartbeat changes the key of the row. So the index returns the newest version first, however many older versions an old
    /// snapshot keeps.</remarks>
    internal const string LastHeartbeat = $"""
        left join lateral (
            {OfNode} order by h.beat desc limit 1) b on true
        """;

    /// <summary>As <see cref="LastHeartbeat"/>, for a list that contains dead nodes. It reads nothing for them: while an old snapshot keeps
    /// the versions of a row that was deleted, a look-up reads all of them.</summary>
    internal const string LastHeartbeatIfAlive = $"""
        left join lateral (
            {OfNode} and n.dead_at is null order by h.beat desc limit 1) b on true
        """;

    private const string OfNode = """
        select h.beat, h.beat_at, h.holds_lock, h.backend, h.vitals, h.queues, h.full_queues, h.load, h.turn_ended_at
            from {schema}.heartbeats h where h.node = n.number
        """;

    /// <summary>The living node with a name. $1 the name. As for <see cref="Heartbeat"/>, a lock counts only in the node's own
    /// session.</summary>
    internal const string FindSameName = "with " + HeldLocks + $$"""

        select n.id, n.machine, n.process_id, n.process_started, n.name_is_explicit, coalesce(b.beat, 0), coalesce(b.holds_lock, false),
            ((n.lock_key, b.backend) in (select h.key, h.pid from held h)) is true
        from {schema}.nodes n
        {{LastHeartbeat}}
        where n.name = $1 and n.named and n.dead_at is null
        """;

    /// <summary>Takes a session lock if it is free. $1 its key.</summary>
    internal const string TryLock = "select pg_try_advisory_lock($1)";

    /// <summary>Registers a node. $1 id, $2 name, $3 whether the name is its own, $4 whether the user chose the name, $5 machine, $6
    /// process, $7 start of the process, $8 lock key, $9 the application name of its sessions, $10 whether it holds its lock, $11 what it
    /// says of itself.</summary>
    internal const string Insert = $$"""
        with joined as (
            insert into {schema}.nodes as n
                (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key, application, info)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11)
            returning n.number, {{Label}} as label
        ), begun as (
            insert into {schema}.heartbeats (node, beat, holds_lock, backend)
            select j.number, 0, $10::boolean, pg_backend_pid() from joined j
        )
        insert into {schema}.events (kind, node) select {{Codes.EventNodeJoined}}, j.label from joined j
        """;

    /// <summary>Increments the counter of a node that is not dead, and reads the counters of the other nodes. If a crash of the server
    /// loses the increment, no harm is done. $1 node, $2 whether this session holds the node's lock, $3 the state of the process, or null
    /// to keep the stored one. What it reports about hints: $4 the queues that it works, or null to keep those stored, $5 those from which
    /// it would claim nothing, $6 its load, $7 whether it ends its turn of listening.</summary>
    /// <returns>One row for the node itself, with whether the heartbeat was accepted and whether dead nodes have to be swept; one row for
    /// each other living node.</returns>
    /// <remarks>A single statement, because the driver writes a second one through the thread pool, which handlers may have starved. A lock
    /// counts only if it is held by the session that sent the node's last heartbeat; locks are found by a hash, because there is one for
    /// each node. The cost must not depend on the amount of work, so claims are not read.</remarks>
    internal const string Heartbeat = "with " + Increment + ",\n" + HeldLocks + Own + $$"""

        union all
        select n.id, {{Label}}, coalesce(b.beat, 0), coalesce(b.holds_lock, false),
            ((n.lock_key, b.backend) in (select h.key, h.pid from held h)) is true,
            b.queues, b.full_queues, b.load, b.turn_ended_at, n.number
        from {schema}.nodes n
        {{LastHeartbeat}}
        where n.dead_at is null and n.id <> $1
        """;

    /// <summary>As <see cref="Heartbeat"/>, without reading the other nodes.</summary>
    /// <returns>The row for the node itself.</returns>
    internal const string HeartbeatOnly = "with " + Increment + Own;

    // The lock on the row of the node excludes a verdict, which locks it for update, and nothing else: a claim takes the same lock. A
    // heartbeat that has waited for a verdict finds the node dead.
    private const string Increment = """
        node as materialized (
            select n.number from {schema}.nodes n
            where n.id = $1 and n.dead_at is null and set_config('synchronous_commit', 'off', true) is not null
            for key share
        ), last as materialized (
            select h.beat from {schema}.heartbeats h where h.node = (select n.number from node n) order by h.beat desc limit 1
        ), me as (
            update {schema}.heartbeats h set beat = h.beat + 1, holds_lock = $2, backend = pg_backend_pid(), beat_at = clock_timestamp(),
                vitals = coalesce($3::text, h.vitals), queues = coalesce($4::text[], h.queues), full_queues = $5::text[], load = $6,
                turn_ended_at = case when $7 then clock_timestamp() else h.turn_ended_at end
            where h.node = (select n.number from node n) and h.beat = (select l.beat from last l)
            returning h.beat, h.queues, h.full_queues, h.load, h.turn_ended_at, h.node
        )
        """;

    // A heartbeat is accepted if its node is alive and has a row, even if it did not change the row. Of two that run at once (the session
    // of the first was given up), the second waits for the first, and then finds another key. The first has raised the counter after the
    // second was sent, so other nodes see a change that is late enough for both. A node whose row an operator has deleted is refused: for
    // the other nodes its counter stands still, so it has to end its runs before they take its work.
    private const string Own = """

        select null::uuid, null::text, coalesce(m.beat, l.beat),
            exists (select from {schema}.nodes n where n.dead_at is not null and n.swept_at is null), false,
            m.queues, m.full_queues, m.load, m.turn_ended_at, m.node
        from (select) one left join last l on true left join me m on true
        """;

    // The commit must be on disk before any node acts on it. It need not wait for a standby: statements that act on it wait for the standby
    // themselves, and follow it in the log.
    private const string OnDisk = "(select set_config('synchronous_commit', 'local', true)) is not null";

    /// <summary>Locks the nodes that are to be declared dead. If a node is sending a heartbeat or making a claim, its row has a key share
    /// lock, and the node is skipped. $1 nodes. Returns those that are locked.</summary>
    internal const string LockJudged = "select n.id from {schema}.nodes n where n.id = any ($1) and n.dead_at is null and " + OnDisk
        + " order by n.number for update skip locked";

    /// <summary>As <see cref="LockJudged"/>, for a namesake whose process is gone; waits for row locks instead of skipping. $1
    /// nodes.</summary>
    internal const string LockNamesake =
        "select n.id from {schema}.nodes n where n.id = any ($1) and n.dead_at is null order by n.number for update";

    // What the last heartbeat said stays with the node.
    private const string Kept = """
        beat_at = coalesce(j.beat_at, n.beat_at), holds_lock = coalesce(j.holds_lock, n.holds_lock),
                backend = coalesce(j.backend, n.backend), vitals = coalesce(j.vitals, n.vitals)
        """;

    private const string IfLockFree = $"when {Codes.ProofLockFree} then '{DeathProofText.LockFree}'";

    /// <summary>Declares nodes dead whose counters still have the judged values. $1 nodes, $2 counters, $3 proofs, $4 the name of this
    /// node, $5 those of the nodes that <see cref="LockJudged"/> or <see cref="LockNamesake"/> has locked in the same
    /// transaction.</summary>
    /// <returns>Each node whose counter is unchanged, and whether it was declared dead.</returns>
    /// <remarks>Its snapshot must be newer than the lock. A heartbeat does not change the row that is locked, so a statement that also took
    /// the lock could judge by a counter that is older than the lock. If another session has locked the row of <c>heartbeats</c>, the row
    /// is left to <see cref="RetentionSql.PurgeHeartbeats"/>, because the session that watches other nodes must not wait.</remarks>
    internal const string MarkDead = $$"""
        with judged as materialized (
            select n.id, n.number, j.proof, b.beat_at, b.holds_lock, b.backend, b.vitals
            from unnest($1::uuid[], $2::bigint[], $3::smallint[]) j (id, beat, proof)
            cross join lateral (select * from {schema}.nodes n where n.id = j.id and n.dead_at is null offset 0) n
            {{LastHeartbeat}}
            where coalesce(b.beat, 0) = j.beat
        ), marked as (
            update {schema}.nodes n set dead_at = clock_timestamp(), proof = j.proof, declared_by = $4::text,
                {{Kept}}
            from judged j where n.number = j.number and n.id = any ($5::uuid[])
            returning n.id, n.number, {{Label}} as label, n.proof
        ), forgotten as (
            delete from {schema}.heartbeats where ctid = any (array(
                select h.ctid from {schema}.heartbeats h where h.node = any (array(select m.number from marked m)) for update skip locked))
        ), recorded as (
            insert into {schema}.events (kind, node, detail)
            select {{Codes.EventNodeDied}}, m.label,
                case m.proof when {{Codes.ProofLeaseExpired}} then '{{DeathProofText.LeaseExpired}}' {{IfLockFree}}
                    when {{Codes.ProofProcessGone}} then '{{DeathProofText.ProcessGone}}' else '{{DeathProofText.Unknown}}' end
                || coalesce('{{DeathProofText.Judge}}' || $4::text, '')
            from marked m
        )
        select j.id, m.id is not null from judged j left join marked m on m.id = j.id
        """;

    /// <summary>Ends sessions of nodes that have been in a transaction for more than a second: a stopped process keeps its rows locked. $1
    /// nodes, $2 the counters they were judged by, $3 the application name of this process's sessions.</summary>
    /// <remarks>Ends only this library's sessions. They are identified by their application name, or, if the sessions are the
    /// application's, by the node's lock in the node's own session.</remarks>
    internal const string Terminate = $$"""
        select pg_terminate_backend(a.pid)
        from {schema}.nodes n join unnest($1::uuid[], $2::bigint[]) j (id, beat) on n.id = j.id
        {{LastHeartbeat}}
        join pg_stat_activity a on a.application_name = n.application and n.application like 'taskrecovery %'
                and n.application is distinct from $3
            or n.application is null and a.pid = coalesce(b.backend, n.backend) and exists (
                select from pg_locks l
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid = a.pid
                    and ((l.classid::bigint << 32) | l.objid::bigint) = n.lock_key)
        where (n.dead_at is not null or coalesce(b.beat, 0) = j.beat)
            and a.usename = current_user and a.datname = current_database() and a.pid <> pg_backend_pid()
            and a.xact_start < clock_timestamp() - interval '1 second'
        """;

    private const string Left = $"stopped = true, proof = {Codes.ProofLeft}";

    /// <summary>Marks a node as stopped. $1 node.</summary>
    /// <remarks>Waits for a heartbeat of the node that is still under way, whose session was given up. The row that is deleted is then the
    /// newer one.</remarks>
    internal const string Leave = $$"""
        with leaving as materialized (
            select n.number from {schema}.nodes n where n.id = $1 and n.dead_at is null and {{OnDisk}} for update
        ), last as materialized (
            select n.number, b.beat_at, b.holds_lock, b.backend, b.vitals from leaving n {{LastHeartbeat}}
        ), gone as (
            update {schema}.nodes n set dead_at = clock_timestamp(), {{Left}},
                {{Kept}}
            from last j where n.number = j.number
            returning {{Label}} as label
        ), forgotten as (
            delete from {schema}.heartbeats h where h.node = (select l.number from leaving l)
        )
        insert into {schema}.events (kind, node) select {{Codes.EventNodeLeft}}, g.label from gone g
        """;
}
