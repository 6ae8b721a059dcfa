namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>steps</c> and <c>checkpoints</c>. Steps and checkpoints belong to the task if the entry runs one, otherwise to
/// the entry.</summary>
/// <remarks>
/// A write is accepted only if the node holds the claim and the entry has no outcome under it yet. The statement locks the claim's row.
/// Either a sweep then skips the claim, or it has already removed the claim or the entry in it, and nothing is stored. Each row contains
/// the fence: a sweep uses it to detect progress since the last crash, and an older claim cannot overwrite the row.
/// <para>A call that was given up and repeated on another connection may still arrive. The fence does not order the writes of one run, so
/// each has an ordinal: a checkpoint contains that of its write, and the claim that of the last reset of each of its entries. A write that
/// comes after one with a greater ordinal is answered as if it had come in time, and stores nothing.</para>
/// </remarks>
internal static class StepSql
{
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
            select c.id, case when c.partly then c.entries end as entries, c.resets from {schema}.claims c
            where c.id = any ($3) and c.node = (select n.number from {schema}.nodes n where n.id = $1)
            order by c.id for share
        ), held as materialized (
            select g.*, case when l.resets is null then false
                else coalesce(g.ordinal < (l.resets ->> g.entry::text)::bigint, false) end as is_late
            from given g join locked l on l.id = g.fence and (l.entries is null or g.entry = any (l.entries))
            where (select true from {schema}.outcomes o where o.entry = g.entry and o.fence = g.fence) is null
        )
        """;

    private const string InsertSteps = $$"""
        with given as (
            select g.* from unnest($2, $3, $4, $5, $6, $7) with ordinality g (entry, fence, ordinal, task, name, result, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.steps (entry, task, fence, name, result)
            select h.entry, h.task, h.fence, h.name, h.result from held h where not h.is_late order by h.entry, h.name
        """;

    // One array, because a row for each of them would be sent and read on its own.
    private const string Places = "select coalesce(array_agg(h.place), '{}') from held h";

    /// <summary>Stores steps. $1 node, $2 entries, $3 fences, $4 ordinals, $5 tasks, $6 names, $7 results; if no entry runs a task, $5 may
    /// be empty. If any of the steps is stored already, the whole statement fails: skipping existing steps would cost a lookup before each
    /// insert, and a second record in the log.</summary>
    /// <returns>The places of those whose claim is held, as one array.</returns>
    internal const string SaveSteps = InsertSteps + ") " + Places;

    /// <summary>As <see cref="SaveSteps"/>, but skips steps that are stored already: their run stored them and the answer was lost, or the
    /// list contains one twice.</summary>
    /// <returns>As <see cref="SaveSteps"/>; for the steps that are skipped too.</returns>
    internal const string SaveStepsOnce = InsertSteps + " on conflict do nothing) " + Places;

    /// <summary>Records a reset in its claim. $1 node, $2 entry, $3 fence, $4 ordinal. Sent before <see cref="DeleteOfEntry"/> or
    /// <see cref="DeleteOfTask"/> in the same transaction.</summary>
    /// <remarks>Writes of the entry that have locked the claim are waited for, and then deleted; those that come later see the reset. If
    /// the reset, or a later one, was recorded before, the claim stays as it is. The form of the condition for the node fits no index, so
    /// that the claim is found by its id; for <c>= any (array[...])</c> see <see cref="OutcomeSql.FollowFinal"/>.</remarks>
    /// <returns>No row if the claim is not held.</returns>
    internal const string RecordReset = """
        with held as materialized (
            select c.id, (c.resets ->> $2::bigint::text)::bigint as last
            from {schema}.claims c
            where c.id = $3 and (c.node = (select n.number from {schema}.nodes n where n.id = $1)) is true
                and (not c.partly or $2 = any (c.entries))
                and not exists (select from {schema}.outcomes o where o.entry = $2 and o.fence = $3)
            for no key update
        ), recorded as (
            update {schema}.claims c
            set resets = coalesce(c.resets, '{}') || jsonb_build_object($2::bigint::text, $4::bigint)
            from held h where c.id = any (array[h.id]) and (h.last is null or h.last < $4)
        )
        select h.id from held h
        """;

    // Whether this transaction has written the claim, which only the record of a new reset does. The statements share a round trip, so that
    // the process can't decide in between: the claim would stay locked for as long as the network takes.
    private const string Recorded = """
        recorded as materialized (
            select c.id from {schema}.claims c where c.id = $2 and c.xmin = pg_current_xact_id_if_assigned()::xid
        )
        """;

    /// <summary>Deletes the steps and the checkpoint of an entry, if <see cref="RecordReset"/> has recorded the reset. $1 entry, $2
    /// fence.</summary>
    internal const string DeleteOfEntry = $$"""
        with {{Recorded}}, steps as (
            delete from {schema}.steps s where s.entry = $1 and s.task is null and exists (select from recorded)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.entry = $1 and c.task is null and exists (select from recorded)
        )
        select r.id from recorded r
        """;

    /// <summary>Deletes the steps and the checkpoint of a task, if <see cref="RecordReset"/> has recorded the reset. $1 task, $2
    /// fence.</summary>
    internal const string DeleteOfTask = $$"""
        with {{Recorded}}, steps as (
            delete from {schema}.steps s where s.task = $1 and exists (select from recorded)
        ), checkpoint as (
            delete from {schema}.checkpoints c where c.task = $1 and exists (select from recorded)
        )
        select r.id from recorded r
        """;

    // The update of a checkpoint. If a later one of the same run is stored, the row keeps its values.
    private const string Later =
        "checkpoints.fence = excluded.fence and checkpoints.entry = excluded.entry and checkpoints.ordinal > excluded.ordinal";

    private const string Replace = $"""
        set fence = excluded.fence,
            ordinal = case when {Later} then checkpoints.ordinal else excluded.ordinal end,
            data = case when {Later} then checkpoints.data else excluded.data end,
            stored_at = case when {Later} then checkpoints.stored_at else clock_timestamp() end
        """;

    /// <summary>Stores the checkpoints of entries, at most one of each. $1 node, $2 entries, $3 fences, $4 ordinals, $5
    /// checkpoints.</summary>
    /// <returns>As <see cref="SaveSteps"/>.</returns>
    internal const string SaveCheckpointsOfEntries = $$"""
        with given as (
            select g.* from unnest($2, $3, $4, $5) with ordinality g (entry, fence, ordinal, data, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.checkpoints (entry, fence, ordinal, data)
            select h.entry, h.fence, h.ordinal, h.data from held h where not h.is_late order by h.entry
            on conflict (entry) do update {{Replace}}
            where checkpoints.fence <= excluded.fence
            returning entry
        )
        {{Places}} where h.is_late or h.entry in (select s.entry from stored s)
        """;

    /// <summary>Stores the checkpoints of tasks, at most one of each. $1 node, $2 entries, $3 fences, $4 ordinals, $5 checkpoints, $6
    /// tasks.</summary>
    /// <returns>As <see cref="SaveSteps"/>.</returns>
    internal const string SaveCheckpointsOfTasks = $$"""
        with given as (
            select g.* from unnest($2, $3, $4, $5, $6) with ordinality g (entry, fence, ordinal, data, task, place)
        ), {{HeldOfBatch}}, stored as (
            insert into {schema}.checkpoints (entry, task, fence, ordinal, data)
            select h.entry, h.task, h.fence, h.ordinal, h.data from held h where not h.is_late order by h.task
            on conflict (task) where task is not null do update {{Replace}}, entry = excluded.entry
            where checkpoints.fence <= excluded.fence
            returning task
        )
        {{Places}} where h.is_late or h.task in (select s.task from stored s)
        """;
}
