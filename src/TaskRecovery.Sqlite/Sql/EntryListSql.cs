using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements that examine entries, newest first.</summary>
/// <remarks>
/// <para>Common parameters: ?1 only ids below this one, ?2 how many entries to examine, ?3 queues, ?4 kinds, ?5 states as digits, ?6
/// reason, ?7 numbers of nodes, ?8 entries that run on these nodes, ?9 the job's id as text, ?10 unique key, ?11 created from, ?12 created
/// before, ?13 ended from, ?14 ended before, ?15 name and value as in the metadata, ?16 text in the arguments, ?17 the same text as JSON
/// escapes it, ?18 kinds of tasks, ?19 name and value of the scope, ?22 trace, ?23 entries that run on any node, if ?7 is set: the node of
/// their last outcome does not count; each is null if it is not set, and lists are JSON arrays.</para>
/// <para>Every examined entry, or outcome, is a row: the entry's id, when it was stored (null if the entry does not exist any more),
/// whether it matches, and its group. The caller stops reading when it has found enough. Outcomes are looked up only for entries that match
/// everything else.</para>
/// </remarks>
internal static class EntryListSql
{
    private const string Final = "from taskrecovery_outcomes o where o.entry = e.id and o.final = 1";
    private const string Newest = $"{Final} order by o.fence desc limit 1";

    private const string State = $"""
        case when exists (select 1 from taskrecovery_waiting w where w.id = e.id) then '{Codes.EntryWaiting}'
            else coalesce((select case o.kind when {Codes.OutcomeCompleted} then '{Codes.EntryCompleted}'
                when {Codes.OutcomeFailed} then '{Codes.EntryFailed}' else '{Codes.EntryCancelled}' end {Newest}),
                '{Codes.EntryRunning}') end
        """;

    private const string Matches = $"""
        (?3 is null or e.queue in (select value from json_each(?3)))
        and (?4 is null or e.kind in (select value from json_each(?4)))
        and (?18 is null or e.kind in (select value from json_each(?18)))
        and (?11 is null or e.created_at >= ?11)
        and (?12 is null or e.created_at < ?12)
        and (?10 is null or e.unique_key = ?10)
        and (?9 is null or instr(e.args, ?9) > 0)
        and (?15 is null or instr(coalesce(e.metadata, ''), ?15) > 0)
        and (?19 is null or instr(coalesce(e.metadata, ''), ?19) > 0)
        and (?22 is null or substr(e.trace_parent, 4, 32) = ?22)
        and (?16 is null or instr(e.args, ?16) > 0 or instr(e.args, ?17) > 0)
        and (?6 is null or ?6 = (select o.reason {Newest}))
        and ((?13 is null and ?14 is null) or exists (select 1 {Final} and (?13 is null or o.ended_at >= ?13)
            and (?14 is null or o.ended_at < ?14)))
        and (?7 is null or e.id in (select value from json_each(?8))
            or ((select o.node from taskrecovery_outcomes o
                    where o.entry = e.id order by o.fence desc limit 1) in (select value from json_each(?7))
                and e.id not in (select value from json_each(?23))))
        and (?5 is null or instr(?5, {State}) > 0)
        """;

    // ?20 what to group by: 0 the kind, 1 the reason, 2 the queue, 3 the state; null for no groups.
    private const string Key =
        $"case ?20 when {Codes.GroupKind} then e.kind when {Codes.GroupReason} then (select o.reason {Newest}) "
        + $"when {Codes.GroupQueue} then e.queue when {Codes.GroupState} then {State} end";

    private const string Columns = $"select e.id, e.created_at, ({Matches}) is true, {Key}";

    // Another program may have removed the entry of a row. The row counts as examined: without it a chunk would seem to be the last one.
    private const string ListedColumns = $"select f.entry, e.created_at, (e.id is not null and {Matches}) is true, {Key}";

    private const string Listed = "left join taskrecovery_entries e on e.id = f.entry order by f.entry desc";

    /// <summary>Entries, whatever their state.</summary>
    public const string All = $"{Columns} from taskrecovery_entries e where e.id < ?1 order by e.id desc limit ?2";

    /// <summary>Entries that have ended, by their outcomes. Only the one that ended an entry can match: it is the newest, so a search that
    /// stops among the outcomes of an entry misses nothing of it.</summary>
    public const string Ended = $"""
        select e.id, e.created_at, (f.final = 1 and {Matches}) is true, {Key}
        from taskrecovery_outcomes f cross join taskrecovery_entries e on e.id = f.entry
        where f.entry < ?1 order by f.entry desc, f.fence desc limit ?2
        """;

    /// <summary>Entries that failed or were cancelled, from their own index.</summary>
    public const string Unwell = $"""
        {ListedColumns} from (
            select entry from (select entry from taskrecovery_outcomes
                where final = 1 and kind > {Codes.OutcomeCompleted} and kind = {Codes.OutcomeFailed} and entry < ?1
                order by entry desc limit ?2)
            union all
            select entry from (select entry from taskrecovery_outcomes
                where final = 1 and kind > {Codes.OutcomeCompleted} and kind = {Codes.OutcomeCancelled} and entry < ?1
                order by entry desc limit ?2)
            union all
            select entry from (select entry from taskrecovery_outcomes
                where final = 1 and kind > {Codes.OutcomeCompleted} and kind = {Codes.OutcomeSuperseded} and entry < ?1
                order by entry desc limit ?2)
            order by 1 desc limit ?2) f
        {Listed}
        """;

    /// <summary>Waiting entries.</summary>
    public const string Waiting =
        $"{ListedColumns} from (select id as entry from taskrecovery_waiting where id < ?1 order by id desc limit ?2) f {Listed}";

    /// <summary>Waiting entries, and the entries in a JSON array, which run. ?21 the array.</summary>
    public const string Active = $"""
        {ListedColumns} from (
            select id as entry from taskrecovery_waiting where id < ?1
            union
            select value from json_each(?21) where value < ?1
            order by 1 desc limit ?2) f
        {Listed}
        """;

    /// <summary>The entries in a JSON array. ?21 the array.</summary>
    public const string Given = $"""
        {ListedColumns} from (select distinct value as entry from json_each(?21) where value < ?1 order by 1 desc limit ?2) f {Listed}
        """;

    /// <summary>The entries that hold a unique key, as a JSON array. ?1 key.</summary>
    public const string Holders = """
        select json_group_array(u.entry) from taskrecovery_kinds k cross join taskrecovery_unique_keys u on u.kind = k.id and u.key = ?1
        """;

    /// <summary>When the first entry that is still stored was stored.</summary>
    public const string Oldest = "select created_at from taskrecovery_entries order by id limit 1";

    /// <summary>The first id that is still stored.</summary>
    public const string First = "select min(id) from taskrecovery_entries";

    /// <summary>The newest entry of a part of the ids, and when it was stored. ?1 after this id, ?2 last id.</summary>
    public const string NewestOf =
        "select id, created_at from taskrecovery_entries where id > ?1 and id <= ?2 order by id desc limit 1";

    /// <summary>Kinds that begin with a text, as a JSON array. ?1 text.</summary>
    public const string KindsFrom = "select json_group_array(id) from taskrecovery_kinds where substr(name, 1, length(?1)) = ?1";

    /// <summary>Kinds in a JSON array of names, as a JSON array. ?1 names.</summary>
    public const string KindsIn = "select json_group_array(id) from taskrecovery_kinds where name in (select value from json_each(?1))";

    /// <summary>Queues in a JSON array of names, as a JSON array. ?1 names.</summary>
    public const string QueuesIn = "select json_group_array(id) from taskrecovery_queues where name in (select value from json_each(?1))";

    /// <summary>Nodes with a name or id, as a JSON array of numbers. ?1 name, ?2 id, or null.</summary>
    public const string Nodes = "select json_group_array(number) from taskrecovery_nodes where name = ?1 or id = ?2";
}
