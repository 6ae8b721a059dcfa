namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>steps</c> and <c>checkpoints</c>. They belong to the task where the entry runs one, else to the entry.</summary>
/// <remarks>Each is accepted only under a claim that is the node's, with no outcome of the entry under it yet. The claim's row is locked, so that a sweep skips it, or has removed
/// it or taken the entry out of it, and nothing is stored. The fence is stored with each row: a sweep sees progress since the last crash by it, and no older claim writes over it.</remarks>
internal static class StepSql
{
    private const string Held = """
        held as materialized (
            select c.id from {schema}.claims c join {schema}.nodes n on n.number = c.node
            where c.id = $3 and n.id = $1 and (not c.partly or $2 = any (c.entries)) and not exists (select from {schema}.outcomes o where o.entry = $2 and o.fence = $3)
            for share of c
        )
        """;

    /// <summary>$1 entry. Rows of the checkpoint have no name.</summary>
    internal const string LoadOfEntry = """
        select name, result from {schema}.steps where entry = $1 and task is null
        union all
        select null, data from {schema}.checkpoints where entry = $1 and task is null
        """;

    /// <summary>$1 task.</summary>
    internal const string LoadOfTask = """
        select name, result from {schema}.steps where task = $1
        union all
        select null, data from {schema}.checkpoints where task = $1
        """;

    /// <summary>$1 node, $2 entry, $3 fence, $4 task or null, $5 name, $6 result. One row if the claim is held. A step that is there already was stored by this very run,
    /// whose answer was lost.</summary>
    internal const string SaveStep = $$"""
        with {{Held}}, stored as (
            insert into {schema}.steps (entry, task, fence, name, result) select $2, $4, $3, $5, $6 from held on conflict do nothing
        )
        select 1 from held
        """;

    /// <summary>$1 node, $2 entry, $3 fence. One row if the claim is held.</summary>
    internal const string ResetOfEntry = $$"""
        with {{Held}}, steps as (
            delete from {schema}.steps s where s.entry = $2 and s.task is null and exists (select from held)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.entry = $2 and c.task is null and exists (select from held)
        )
        select 1 from held
        """;

    /// <summary>$1 node, $2 entry, $3 fence, $4 task. One row if the claim is held.</summary>
    internal const string ResetOfTask = $$"""
        with {{Held}}, steps as (
            delete from {schema}.steps s where s.task = $4 and exists (select from held)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.task = $4 and exists (select from held)
        )
        select 1 from held
        """;

    /// <summary>$1 node, $2 entry, $3 fence, $4 checkpoint. One row if the claim is held.</summary>
    internal const string SaveCheckpointOfEntry = $$"""
        with {{Held}}, stored as (
            insert into {schema}.checkpoints (entry, fence, data) select $2, $3, $4 from held
            on conflict (entry) do update set fence = excluded.fence, data = excluded.data, stored_at = clock_timestamp() where checkpoints.fence <= excluded.fence
            returning 1
        )
        select 1 from stored
        """;

    /// <summary>$1 node, $2 entry, $3 fence, $4 checkpoint, $5 task. One row if the claim is held.</summary>
    internal const string SaveCheckpointOfTask = $$"""
        with {{Held}}, stored as (
            insert into {schema}.checkpoints (entry, task, fence, data) select $2, $5, $3, $4 from held
            on conflict (task) where task is not null do update set entry = excluded.entry, fence = excluded.fence, data = excluded.data, stored_at = clock_timestamp()
            where checkpoints.fence <= excluded.fence
            returning 1
        )
        select 1 from stored
        """;
}
