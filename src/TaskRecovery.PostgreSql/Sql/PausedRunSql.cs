namespace TaskRecovery.PostgreSql;

/// <summary>Statements over <c>paused_runs</c>: the requested runs that wait for the end of their job's pause. Sent while the row of the
/// job is locked.</summary>
internal static class PausedRunSql
{
    /// <summary>Stores that runs wait, after their entries were put back in the same transaction. $1 jobs, $2 entries. Returns how many
    /// wait: an entry with a cancel request has ended.</summary>
    internal const string Add = """
        with added as (
            insert into {schema}.paused_runs (job_id, entry, run_at)
            select g.job, w.id, w.run_at from unnest($1::uuid[], $2::bigint[]) g (job, entry)
            cross join lateral (select w.id, w.run_at from {schema}.waiting w where w.id = g.entry and w.found_by_id offset 0) w
            on conflict (job_id, entry) do update set run_at = excluded.run_at
            returning entry
        )
        select count(*) from added
        """;

    /// <summary>Makes the runs of a job due. $1 job. Returns the queues that got work.</summary>
    /// <remarks>Skips a run that an operator has given another time since. Also skips one that another transaction has locked, to claim or
    /// end it, so that this can't deadlock.</remarks>
    internal const string Wake = """
        with gone as materialized (
            delete from {schema}.paused_runs p where p.job_id = $1 returning p.entry, p.run_at
        ), place as materialized (
            select w.id from gone g cross join lateral (
                select w.id from {schema}.waiting w where w.id = g.entry and w.found_by_id and w.run_at = g.run_at
                for update skip locked) w
        ), woken as (
            update {schema}.waiting w set run_at = (select clock_timestamp()) from place p where w.id = p.id and w.found_by_id
            returning w.queue
        )
        select distinct q.name from woken w join {schema}.queues q on q.id = w.queue
        """;
}
