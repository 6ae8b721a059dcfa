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

    /// <summary>The living node with a name. $1 the name. As for <see cref="Heartbeat"/>, a lock counts only in the node's own
    /// session.</summary>
    internal const string FindSameName = "with " + HeldLocks + """

        select n.id, n.machine, n.process_id, n.process_started, n.name_is_explicit, n.beat, n.holds_lock,
            ((n.lock_key, n.backend) in (select h.key, h.pid from held h)) is true
        from {schema}.nodes n
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
                (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key, backend, application, holds_lock, info)
            values ($1, $2, $3, $4, $5, $6, $7, $8, pg_backend_pid(), $9, $10, $11)
            returning {{Label}} as label
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
        select n.id, {{Label}}, n.beat, n.holds_lock, ((n.lock_key, n.backend) in (select h.key, h.pid from held h)) is true,
            n.queues, n.full_queues, n.load, n.turn_ended_at, n.number
        from {schema}.nodes n
        where n.dead_at is null and n.id <> $1
        """;

    /// <summary>As <see cref="Heartbeat"/>, without reading the other nodes.</summary>
    /// <returns>The row for the node itself.</returns>
    internal const string HeartbeatOnly = "with " + Increment + Own;

    private const string Increment = """
        me as (
            update {schema}.nodes n set beat = n.beat + 1, holds_lock = $2, backend = pg_backend_pid(), beat_at = clock_timestamp(),
                vitals = coalesce($3::text, n.vitals), queues = coalesce($4::text[], n.queues), full_queues = $5::text[], load = $6,
                turn_ended_at = case when $7 then clock_timestamp() else n.turn_ended_at end
            where n.id = $1 and n.dead_at is null and set_config('synchronous_commit', 'off', true) is not null
            returning n.beat, n.queues, n.full_queues, n.load, n.turn_ended_at, n.number
        )
        """;

    private const string Own = """

        select null::uuid, null::text, m.beat,
            exists (select from {schema}.nodes n where n.dead_at is not null and n.swept_at is null), false,
            m.queues, m.full_queues, m.load, m.turn_ended_at, m.number
        from (select) one left join me m on true
        """;

    // The commit must be on disk before any node acts on it. It need not wait for a standby: statements that act on it wait for the standby
    // themselves, and follow it in the log.
    private const string OnDisk = "(select set_config('synchronous_commit', 'local', true)) is not null";

    private const string Judged = "from {schema}.nodes n join unnest($1, $2, $3) j (id, beat, proof) on n.id = j.id and n.beat = j.beat";

    private const string IfLockFree = $"when {Codes.ProofLockFree} then '{DeathProofText.LockFree}'";

    private const string Marked = $$"""
        ), marked as (
            update {schema}.nodes n set dead_at = clock_timestamp(), proof = j.proof, declared_by = $4::text
            from judged j where n.number = j.number
            returning n.id, {{Label}} as label, n.proof
        ), recorded as (
            insert into {schema}.events (kind, node, detail)
            select {{Codes.EventNodeDied}}, m.label,
                case m.proof when {{Codes.ProofLeaseExpired}} then '{{DeathProofText.LeaseExpired}}' {{IfLockFree}}
                    when {{Codes.ProofProcessGone}} then '{{DeathProofText.ProcessGone}}' else '{{DeathProofText.Unknown}}' end
                || coalesce('{{DeathProofText.Judge}}' || $4::text, '')
            from marked m
        )
        """;

    /// <summary>Declares nodes dead whose counters still have the judged values. If a node is making a claim, the claim holds a key share
    /// lock on the row of the node, and the node is skipped. $1 nodes, $2 counters, $3 proofs, $4 the name of this node.</summary>
    /// <returns>Each node whose counter is unchanged, and whether it was declared dead.</returns>
    internal const string MarkDead = "with judged as materialized (select n.number, j.proof " + Judged
        + " where n.dead_at is null and " + OnDisk + " order by n.number for update of n skip locked " + Marked
        + """

        select m.id, true from marked m
        union all
        select n.id, false
        """
        + " " + Judged + " where n.dead_at is null and n.id not in (select m.id from marked m)";

    /// <summary>As <see cref="MarkDead"/>, for a namesake whose process is gone; waits for row locks instead of skipping. $1 nodes, $2
    /// counters, $3 proofs, $4 the name of this node.</summary>
    internal const string MarkGone = "with judged as materialized (select n.number, j.proof " + Judged
        + " where n.dead_at is null order by n.number for update of n " + Marked + " select m.id, true from marked m";

    /// <summary>Ends sessions of nodes that have been in a transaction for more than a second: a stopped process keeps its rows locked. $1
    /// nodes, $2 the counters they were judged by, $3 the application name of this process's sessions.</summary>
    /// <remarks>Ends only this library's sessions. They are identified by their application name, or, if the sessions are the
    /// application's, by the node's lock in the node's own session.</remarks>
    internal const string Terminate = """
        select pg_terminate_backend(a.pid)
        from {schema}.nodes n join unnest($1, $2) j (id, beat) on n.id = j.id and (n.dead_at is not null or n.beat = j.beat)
        join pg_stat_activity a on a.application_name = n.application and n.application like 'taskrecovery %'
                and n.application is distinct from $3
            or n.application is null and a.pid = n.backend and exists (
                select from pg_locks l
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid = n.backend
                    and ((l.classid::bigint << 32) | l.objid::bigint) = n.lock_key)
        where a.usename = current_user and a.datname = current_database() and a.pid <> pg_backend_pid()
            and a.xact_start < clock_timestamp() - interval '1 second'
        """;

    private const string Left = $"stopped = true, proof = {Codes.ProofLeft}";

    /// <summary>Marks a node as stopped. $1 node.</summary>
    internal const string Leave = "with leaving as materialized (select n.number from {schema}.nodes n "
        + "where n.id = $1 and n.dead_at is null and " + OnDisk
        + $$"""
         for update
        ), gone as (
            update {schema}.nodes n set dead_at = clock_timestamp(), {{Left}} from leaving l where n.number = l.number
            returning {{Label}} as label
        )
        insert into {schema}.events (kind, node) select {{Codes.EventNodeLeft}}, g.label from gone g
        """;
}
