namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>steps</c> and <c>checkpoints</c>. Steps and checkpoints belong to the task if the entry runs one, otherwise to
/// the entry.</summary>
/// <remarks>A write is accepted only if the node holds the claim and the entry has no outcome under it yet. The statement locks the claim's
/// row. Either a sweep then skips the claim, or it has already removed the claim or the entry in it, and nothing is stored. Each row
/// contains the fence: a sweep uses it to detect progress since the last crash, and an older claim cannot overwrite the row.</remarks>
internal static class StepSql
{
    private const string Held = """
        held as materialized (
            select c.id from {schema}.claims c join {schema}.nodes n on n.number = c.node
            where c.id = $3 and n.id = $1 and (not c.partly or $2 = any (c.entries)) and not exists (select from {schema}.outcomes o where o.entry = $2 and o.fence = $3)
            for share of c
        )
        """;

    /// <summary>Loads the steps and the checkpoint of an entry. $1 entry. The row of the checkpoint has no name.</summary>
    internal const string LoadOfEntry = """
        select name, result from {schema}.steps where entry = $1 and task is null
        union all
        select null, data from {schema}.checkpoints where entry = $1 and task is null
        """;

    /// <summary>Loads the steps and the checkpoint of a task. $1 task. The row of the checkpoint has no name.</summary>
    internal const string LoadOfTask = """
        select name, result from {schema}.steps where task = $1
        union all
        select null, data from {schema}.checkpoints where task = $1
        """;

    /// <summary>Stores a step. $1 node, $2 entry, $3 fence, $4 task or null, $5 name, $6 result. Returns one row if the claim is held. If
    /// the step exists already, this run stored it and the answer was lost.</summary>
    internal const string SaveStep = $$"""
        with {{Held}}, stored as (
            insert into {schema}.steps (entry, task, fence, name, result) select $2, $4, $3, $5, $6 from held on conflict do nothing
        )
        select 1 from held
        """;

    /// <summary>Deletes the steps and the checkpoint of an entry. $1 node, $2 entry, $3 fence. Returns one row if the claim is
    /// held.</summary>
    internal const string ResetOfEntry = $$"""
        with {{Held}}, steps as (
            delete from {schema}.steps s where s.entry = $2 and s.task is null and exists (select from held)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.entry = $2 and c.task is null and exists (select from held)
        )
        select 1 from held
        """;

    /// <summary>Deletes the steps and the checkpoint of a task. $1 node, $2 entry, $3 fence, $4 task. Returns one row if the claim is
    /// held.</summary>
    internal const string ResetOfTask = $$"""
        with {{Held}}, steps as (
            delete from {schema}.steps s where s.task = $4 and exists (select from held)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.task = $4 and exists (select from held)
        )
        select 1 from held
        """;

    /// <summary>Stores the checkpoint of an entry. $1 node, $2 entry, $3 fence, $4 checkpoint. Returns one row if the claim is
    /// held.</summary>
    internal const string SaveCheckpointOfEntry = $$"""
        with {{Held}}, stored as (
            insert into {schema}.checkpoints (entry, fence, data) select $2, $3, $4 from held
            on conflict (entry) do update set fence = excluded.fence, data = excluded.data, stored_at = clock_timestamp() where checkpoints.fence <= excluded.fence
            returning 1
        )
        select 1 from stored
        """;

    /// <summary>Stores the checkpoint of a task. $1 node, $2 entry, $3 fence, $4 checkpoint, $5 task. Returns one row if the claim is
    /// held.</summary>
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
