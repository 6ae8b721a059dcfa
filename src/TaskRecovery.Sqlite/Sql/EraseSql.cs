namespace TaskRecovery.Sqlite;

/// <summary>Statements that erase what an application stored in entries.</summary>
internal static class EraseSql
{
    /// <summary>The highest entry id.</summary>
    public const string Last = "select coalesce(max(id), 0) from taskrecovery_entries";

    /// <summary>Entries with a unique key. ?1 lowest id, exclusive, ?2 highest id, inclusive, ?3 key, ?4 kind's number, or null for all
    /// kinds.</summary>
    public const string FindByKey = """
        select id, null from taskrecovery_entries where id > ?1 and id <= ?2 and unique_key = ?3 and (?4 is null or kind = ?4) order by id
        """;

    /// <summary>Entries whose metadata contain a text; the caller parses the metadata. ?1 lowest id, exclusive, ?2 highest id, inclusive,
    /// ?3 text, ?4 unused.</summary>
    public const string FindByMetadata = """
        select id, metadata from taskrecovery_entries where id > ?1 and id <= ?2 and instr(metadata, ?3) > 0 and ?4 is null order by id
        """;

    /// <summary>Blanks an entry. ?1 id.</summary>
    public const string Entry =
        "update taskrecovery_entries set args = '', unique_key = null, metadata = null, trace_parent = null where id = ?1";

    /// <summary>Blanks an entry's outcomes. ?1 entry.</summary>
    public const string Outcomes = $"""
        update taskrecovery_outcomes set result = null, error = null, black_box = null, reason = case
            when final = 1 then '{EndReasons.Erased}' else reason end where entry = ?1
        """;

    /// <summary>Blanks the record of an entry's task. ?1 entry.</summary>
    public const string Task = "update taskrecovery_tasks set result = null, error = null where entry_id = ?1";

    /// <summary>Removes the steps of an entry and of its task. ?1 entry, ?2 task, or null.</summary>
    public const string Steps = "delete from taskrecovery_steps where entry = ?1 or task = ?2";

    /// <summary>Removes the checkpoint of an entry and of its task. ?1 entry, ?2 task, or null.</summary>
    public const string Checkpoint = "delete from taskrecovery_checkpoints where entry = ?1 or task = ?2";
}
