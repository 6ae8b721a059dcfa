using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>nodes</c>.</summary>
internal static class NodeSql
{
    /// <summary>Whether this library registered a node. Another one can't be watched or shown.</summary>
    internal const string HasId = "typeof(n.id) = 'blob' and length(n.id) = 16";

    private const string HasClaims = "exists (select 1 from taskrecovery_claims c where c.node = taskrecovery_nodes.number)";

    /// <summary>The number of a node that is not dead. ?1 id.</summary>
    public const string FindAlive = "select number from taskrecovery_nodes where id = ?1 and dead_at is null";

    /// <summary>A node's number. ?1 id.</summary>
    public const string Find = "select number from taskrecovery_nodes where id = ?1";

    /// <summary>Changes nothing, but makes the transaction a write transaction.</summary>
    public const string TakeWriteLock = "delete from taskrecovery_nodes where 0";

    /// <summary>A node's name, and whether it joined with it. ?1 id.</summary>
    public const string Name = "select name, named from taskrecovery_nodes where id = ?1";

    /// <summary>The living nodes with a name. ?1 name.</summary>
    public const string SameName =
        $"select id, holds_lock from taskrecovery_nodes n where name = ?1 and named = 1 and dead_at is null and {HasId}";

    /// <summary>Stores a new node. ?1 id, ?2 name, ?3 named, ?4 name is explicit, ?5 machine, ?6 process, ?7 process started, ?8 holds
    /// lock, ?9 now, ?10 what it says of itself.</summary>
    public const string Insert = """
        insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, holds_lock, started_at,
            beat_at, info)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10)
        """;

    /// <summary>Stores a heartbeat. ?1 id, ?2 holds lock, ?3 now.</summary>
    public const string Heartbeat =
        "update taskrecovery_nodes set beat = beat + 1, holds_lock = ?2, beat_at = ?3 where id = ?1 and dead_at is null";

    /// <summary>Stores a heartbeat, after which they are counted in the node's file again. ?1 id, ?2 holds lock, ?3 now.</summary>
    public const string HeartbeatAndFileAgain = "update taskrecovery_nodes set beat = beat + 1, holds_lock = ?2, beat_at = ?3, "
        + "heartbeats_in_database = 0 where id = ?1 and dead_at is null";

    /// <summary>The living nodes.</summary>
    public const string Alive = $"""
        select id, name, named, beat, holds_lock, heartbeats_in_database from taskrecovery_nodes n
        where dead_at is null and {HasId} order by number
        """;

    /// <summary>The number of a living node's stored heartbeats. ?1 id.</summary>
    public const string StoredHeartbeat = "select beat from taskrecovery_nodes where id = ?1 and dead_at is null";

    /// <summary>Requests that a node whose file cannot be read stores its heartbeats; its silence is measured anew from now. ?1
    /// id.</summary>
    public const string AskToStore = """
        update taskrecovery_nodes set heartbeats_in_database = 1, beat = beat + 1
        where id = ?1 and dead_at is null and heartbeats_in_database = 0
        """;

    /// <summary>Returns a row if any dead node has claims.</summary>
    public const string AnyDeadWithClaims = $"""
        select 1 from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where n.dead_at is not null and {HasId} limit 1
        """;

    /// <summary>The dead nodes that have claims.</summary>
    public const string DeadWithClaims = $"""
        select distinct n.number, n.id, n.name, n.named, n.stopped
        from taskrecovery_claims c join taskrecovery_nodes n on n.number = c.node where n.dead_at is not null and {HasId} order by n.number
        """;

    /// <summary>Declares a node dead unless it is dead already or has stored another heartbeat. ?1 id, ?2 stored heartbeats that the
    /// verdict is based on, ?3 now, ?4 proof, ?5 the name of this node, ?6 the state of the process, ?7 the same without steps, which only
    /// a sweep needs.</summary>
    public const string MarkDead = "update taskrecovery_nodes set dead_at = ?3, proof = ?4, declared_by = ?5, "
        + $"vitals = case when {HasClaims} then ?6 else ?7 end where id = ?1 and beat = ?2 and dead_at is null";

    /// <summary>Declares a node dead because its lock is free. ?1 id, ?2 now, ?3 proof, ?4 the name of this node, ?5 the state of the
    /// process, ?6 the same without steps.</summary>
    public const string MarkGone = "update taskrecovery_nodes set dead_at = ?2, proof = ?3, declared_by = ?4, "
        + $"vitals = case when {HasClaims} then ?5 else ?6 end where id = ?1 and dead_at is null";

    /// <summary>Changes the state in which a dead node was. ?1 number, ?2 the state.</summary>
    public const string SetVitals = "update taskrecovery_nodes set vitals = ?2 where number = ?1";

    /// <summary>Records that a node has stopped. ?1 id, ?2 now.</summary>
    public const string Leave =
        $"update taskrecovery_nodes set dead_at = ?2, stopped = 1, proof = {Codes.ProofLeft} where id = ?1 and dead_at is null";

    /// <summary>What is known of a node's death. ?1 number.</summary>
    public const string Death = "select dead_at, proof, declared_by, vitals from taskrecovery_nodes where number = ?1";

    /// <summary>The claims of a node. ?1 number.</summary>
    public const string Claims =
        "select id, entries, attempts, crashes, claimed_at from taskrecovery_claims where node = ?1 order by id";

    /// <summary>Dead nodes without claims, at most 100. ?1 dead before.</summary>
    public const string Forgotten = """
        select number, id from taskrecovery_nodes n
        where dead_at < ?1 and not exists (select 1 from taskrecovery_claims c where c.node = n.number) limit 100
        """;

    /// <summary>Removes a node. ?1 number.</summary>
    public const string Delete = "delete from taskrecovery_nodes where number = ?1";
}
