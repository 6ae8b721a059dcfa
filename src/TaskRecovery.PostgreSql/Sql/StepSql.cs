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
            where c.id = $3 and n.id = $1 and (not c.partly or $2 = any (c.entries))
                and not exists (select from {schema}.outcomes o where o.entry = $2 and o.fence = $3)
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

    // Claims and rows are locked in order, so that two batches cannot deadlock. The list of a claim's entries is long, and needed only if
    // an entry was taken from it. The outcomes are looked up one by one: a join might read all of them.
    private const string HeldOfBatch = """
        locked as materialized (
            select c.id, case when c.partly then c.entries end as entries from {schema}.claims c
            where c.id = any ($3) and c.node = (select n.number from {schema}.nodes n where n.id = $1)
            order by c.id for share
        ), held as materialized (
            select g.* from given g join locked l on l.id = g.fence and (l.entries is null or g.entry = any (l.entries))
            where (select true from {schema}.outcomes o where o.entry = g.entry and o.fence = g.fence) is null
        )
        """;

    /// <summary>Stores steps. $1 node, $2 entries, $3 fences, $4 tasks, $5 names, $6 results; if no entry runs a task, $4 may be empty.
    /// Returns the places of those whose claim is held. If a step exists already, its run stored it and the answer was lost.</summary>
    internal const string SaveSteps = $$"""
        with given as (
            select g.* from unnest($2, $3, $4, $5, $6) with ordinality g (entry, fence, task, name, result, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.steps (entry, task, fence, name, result)
            select h.entry, h.task, h.fence, h.name, h.result from held h order by h.entry, h.name on conflict do nothing
        )
        select h.place from held h
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

    /// <summary>Stores the checkpoints of entries, at most one of each. $1 node, $2 entries, $3 fences, $4 checkpoints. Returns the places
    /// of those whose claim is held.</summary>
    internal const string SaveCheckpointsOfEntries = $$"""
        with given as (
            select g.* from unnest($2, $3, $4) with ordinality g (entry, fence, data, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.checkpoints (entry, fence, data) select h.entry, h.fence, h.data from held h order by h.entry
            on conflict (entry) do update set fence = excluded.fence, data = excluded.data, stored_at = clock_timestamp()
                where checkpoints.fence <= excluded.fence
            returning entry
        )
        select h.place from held h where h.entry in (select s.entry from stored s)
        """;

    /// <summary>Stores the checkpoints of tasks, at most one of each. $1 node, $2 entries, $3 fences, $4 checkpoints, $5 tasks. Returns the
    /// places of those whose claim is held.</summary>
    internal const string SaveCheckpointsOfTasks = $$"""
        with given as (
            select g.* from unnest($2, $3, $4, $5) with ordinality g (entry, fence, data, task, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.checkpoints (entry, task, fence, data) select h.entry, h.task, h.fence, h.data from held h order by h.task
            on conflict (task) where task is not null do update
                set entry = excluded.entry, fence = excluded.fence, data = excluded.data, stored_at = clock_timestamp()
            where checkpoints.fence <= excluded.fence
            returning task
        )
        select h.place from held h where h.task in (select s.task from stored s)
        """;
}
