namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>steps</c> and <c>checkpoints</c>. They belong to the task if the entry runs one, and to the entry
/// otherwise.</summary>
internal static class ProgressSql
{
    /// <summary>Returns a row if a run stored a step or a checkpoint. ?1 entry, ?2 task, ?3 fence.</summary>
    public const string StoredUnder = """
        select 1 from taskrecovery_steps where (entry = ?1 or task = ?2) and fence = ?3
        union all
        select 1 from taskrecovery_checkpoints where (entry = ?1 or task = ?2) and fence = ?3
        limit 1
        """;

    /// <summary>When a run stored a step or its checkpoint last. ?1 entry, ?2 fence.</summary>
    public const string LastStored = """
        select max(stored_at) from (
            select stored_at from taskrecovery_steps where entry = ?1 and fence = ?2
            union all
            select stored_at from taskrecovery_checkpoints where entry = ?1 and fence = ?2)
        """;

    /// <summary>An entry's steps. ?1 entry.</summary>
    public const string StepsOfEntry = "select name, result from taskrecovery_steps where entry = ?1 and task is null";

    /// <summary>A task's steps. ?1 task.</summary>
    public const string StepsOfTask = "select name, result from taskrecovery_steps where task = ?1";

    /// <summary>An entry's checkpoint. ?1 entry.</summary>
    public const string CheckpointOfEntry = "select data from taskrecovery_checkpoints where entry = ?1 and task is null";

    /// <summary>A task's checkpoint. ?1 task.</summary>
    public const string CheckpointOfTask = "select data from taskrecovery_checkpoints where task = ?1";

    /// <summary>Stores a step, unless a step with this name exists for the task (also from another entry) or else for the entry. ?1 entry,
    /// ?2 task, ?3 fence, ?4 now, ?5 name, ?6 result.</summary>
    public const string SaveStep =
        "insert or ignore into taskrecovery_steps (entry, task, fence, stored_at, name, result) values (?1, ?2, ?3, ?4, ?5, ?6)";

    /// <summary>Stores a checkpoint and replaces the previous one. ?1 entry, ?2 task, ?3 fence, ?4 now, ?5 data.</summary>
    public const string SaveCheckpoint =
        "insert or replace into taskrecovery_checkpoints (entry, task, fence, stored_at, data) values (?1, ?2, ?3, ?4, ?5)";

    /// <summary>Removes an entry's own steps. ?1 entry.</summary>
    public const string DeleteSteps = "delete from taskrecovery_steps where entry = ?1 and task is null";

    /// <summary>Removes an entry's own checkpoint. ?1 entry.</summary>
    public const string DeleteCheckpoint = "delete from taskrecovery_checkpoints where entry = ?1 and task is null";

    /// <summary>Removes a task's steps. ?1 task.</summary>
    public const string DeleteTaskSteps = "delete from taskrecovery_steps where task = ?1";

    /// <summary>Removes a task's checkpoint. ?1 task.</summary>
    public const string DeleteTaskCheckpoint = "delete from taskrecovery_checkpoints where task = ?1";
}
