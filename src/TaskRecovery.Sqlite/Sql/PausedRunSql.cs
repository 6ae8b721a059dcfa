using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>paused_runs</c>: the requested runs that wait for the end of their job's pause.</summary>
internal static class PausedRunSql
{
    /// <summary>Stores that a run waits, after its entry was put back in the same transaction. ?1 job, ?2 entry, ?3 run at.</summary>
    public const string Add = "insert or replace into taskrecovery_paused_runs (job_id, entry, run_at) values (?1, ?2, ?3)";

    /// <summary>Makes a job's runs due, except those that an operator has given another time since. ?1 job, ?2 now. Returns their
    /// queues.</summary>
    /// <remarks>A library that does not know the table puts a run back for the pause without a new time in it.</remarks>
    public static readonly string Wake = $"""
        update taskrecovery_waiting set run_at = ?2
        from taskrecovery_paused_runs p
        where p.job_id = ?1 and taskrecovery_waiting.id = p.entry
            and (taskrecovery_waiting.run_at = p.run_at or {OutcomeSql.WasPutBackForPause("o.entry = p.entry")})
        returning (select q.name from taskrecovery_queues q where q.id = queue)
        """;

    /// <summary>Removes a job's runs. ?1 job.</summary>
    public const string Remove = "delete from taskrecovery_paused_runs where job_id = ?1";

    /// <summary>Jobs that are not paused, or do not exist, and have runs that wait for the end of a pause: a library that does not know
    /// this table ended it.</summary>
    public const string Overdue = $"""
        select distinct p.job_id from taskrecovery_paused_runs p
        where not exists (select 1 from taskrecovery_jobs j where j.id = p.job_id and j.state = {Codes.JobPaused})
        limit 1000
        """;
}
