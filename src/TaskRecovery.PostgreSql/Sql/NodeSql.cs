namespace TaskRecovery.PostgreSql;

/// <summary>Statements of a node's own session.</summary>
internal static class NodeSql
{
    /// <summary>Two that register with one name do so one after the other. $1 the schema's name, $2 the node's.</summary>
    internal const string LockName = "select pg_advisory_xact_lock(hashtextextended('taskrecovery node ' || $2 || ' of ' || $1, 0))";

    // Session locks as the server holds them: nobody tries to take one to find out.
    private const string HeldLocks = """
        held as materialized (
            select (l.classid::bigint << 32) | l.objid::bigint as key from pg_locks l
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
                and l.database = (select d.oid from pg_database d where d.datname = current_database())
        )
        """;

    /// <summary>The living node of a name. $1 the name.</summary>
    internal const string FindNamesake = "with " + HeldLocks + """

        select n.id, n.machine, n.process_id, n.process_started, n.name_is_explicit, n.beat, n.holds_lock,
            exists (select from held h where h.key = n.lock_key)
        from {schema}.nodes n
        where n.name = $1 and n.named and n.dead_at is null
        """;

    /// <summary>Takes a session lock if it is free. $1 its key.</summary>
    internal const string TryLock = "select pg_try_advisory_lock($1)";

    /// <summary>$1 id, $2 name, $3 whether the name is its own, $4 whether the user gave it, $5 machine, $6 process, $7 its start, $8 lock key, $9 what its sessions call themselves, $10 whether it holds its lock.</summary>
    internal const string Insert = """
        insert into {schema}.nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key, backend, application, holds_lock)
        values ($1, $2, $3, $4, $5, $6, $7, $8, pg_backend_pid(), $9, $10)
        """;

    /// <summary>Raises the counter of a node that is not dead, and reads the others'. $1 node, $2 whether this session holds its lock.</summary>
    /// <returns>One row for itself, with whether it was accepted and whether dead nodes have claims; one for each other living node.</returns>
    internal const string Beat = """
        with me as (
            update {schema}.nodes n set beat = n.beat + 1, holds_lock = $2, backend = pg_backend_pid(), beat_at = clock_timestamp()
            where n.id = $1 and n.dead_at is null
            returning n.beat
        ),
        """ + HeldLocks + """

        select null::uuid, null::text, (select m.beat from me m),
            exists (select from {schema}.nodes n where n.dead_at is not null and exists (select from {schema}.claims c where c.node = n.number)), false
        union all
        select n.id, n.name, n.beat, n.holds_lock, exists (select from held h where h.key = n.lock_key)
        from {schema}.nodes n
        where n.dead_at is null and n.id <> $1
        """;

    /// <summary>Declares a node dead if its counter is still the one it was judged by. A claim that it is making has to end first: it holds the row by a key share lock. $1 node, $2 counter.</summary>
    /// <returns>What its sessions call themselves, and the key of its lock; no row if it was not judged right.</returns>
    internal const string MarkDead = """
        with judged as materialized (
            select n.number from {schema}.nodes n where n.id = $1 and n.beat = $2 and n.dead_at is null for update
        )
        update {schema}.nodes n set dead_at = clock_timestamp() from judged j where n.number = j.number returning n.application, n.lock_key
        """;

    /// <summary>Ends those sessions of a dead node that have been in a transaction for a while: a process that is stopped keeps rows locked that nobody sees. $1 what they call themselves, $2 the key of its lock.</summary>
    internal const string Terminate = """
        select pg_terminate_backend(a.pid)
        from pg_stat_activity a
        where a.usename = current_user and a.datname = current_database() and a.pid <> pg_backend_pid()
            and a.xact_start < clock_timestamp() - interval '1 second'
            and (a.application_name = $1 or a.pid in (
                select l.pid from pg_locks l
                where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and ((l.classid::bigint << 32) | l.objid::bigint) = $2))
        """;

    /// <summary>A node stops. $1 node.</summary>
    internal const string Leave = """
        with leaving as materialized (
            select n.number from {schema}.nodes n where n.id = $1 and n.dead_at is null for update
        )
        update {schema}.nodes n set dead_at = clock_timestamp(), stopped = true from leaving l where n.number = l.number
        """;
}
