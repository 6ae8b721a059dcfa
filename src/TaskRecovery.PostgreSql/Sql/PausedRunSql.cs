using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Statements over <c>paused_runs</c>: the requested runs that wait for the end of their job's pause. Sent while the row of the
/// job is locked.</summary>
internal static class PausedRunSql
{
    // The waiting row of p, unless an operator has given the entry another time since. A library that does not know the table puts a run
    // back for the pause without a new time in p.
    private static readonly string Waits =
        $"w.id = p.entry and {WaitingSql.FoundById} "
            + $"and (w.run_at = p.run_at or {OutcomeSql.WasPutBackForPause("o.entry = p.entry")})";

    /// <summary>Stores that runs wait, after their entries were put back in the same transaction. $1 jobs, $2 entries. Returns how many
    /// wait: an entry with a cancel request has ended.</summary>
    internal const string Add = $$"""
        with added as (
            insert into {schema}.paused_runs (job_id, entry, run_at)
            select g.job, w.id, w.run_at from unnest($1::uuid[], $2::bigint[]) g (job, entry)
            cross join lateral (
                select w.id, w.run_at from {schema}.waiting w where w.id = g.entry and {{WaitingSql.FoundById}} offset 0) w
            on conflict (job_id, entry) do update set run_at = excluded.run_at
            returning entry
        )
        select count(*) from added
        """;

    /// <summary>Locks the jobs whose runs wait for the end of a pause, in the order of their ids. $1 entries. Sent before
    /// <see cref="OperationSql.Restore"/>: a resume then comes before it, or finds the entries that it has put back.</summary>
    internal const string LockJobs = """
        select count(*) from (
            select j.id from {schema}.jobs j
            where j.id = any (array(select p.job_id from {schema}.paused_runs p where p.entry = any ($1)))
            order by j.id for share) j
        """;

    /// <summary>Makes the runs of a job due. $1 job. Returns the queues that got work.</summary>
    /// <remarks>Forgets a run that an operator has given another time since. Skips one that another transaction has locked, to claim or
    /// end it, so that this can't deadlock; if it still waits afterwards, <see cref="Overdue"/> finds it.
    /// <para>Replaces the waiting rows and does not update them: if a claim began before this commits, its lock would follow an updated row
    /// to the new version, which its snapshot does not show, so that it could not delete it.</para></remarks>
    internal static readonly string Wake = $$"""
        with place as materialized (
            select w.ctid as tid from {schema}.waiting w
            where w.ctid = any (array(
                select w.tid from {schema}.paused_runs p
                cross join lateral (select w.ctid as tid from {schema}.waiting w where {{Waits}} offset 0) w
                where p.job_id = $1))
                for update skip locked
        ), taken as (
            delete from {schema}.waiting w where w.ctid = any (array(select l.tid from place l))
            returning w.id, w.queue, w.kind, w.priority, w.attempt, w.crashes
        ), gone as (
            delete from {schema}.paused_runs p
            where p.job_id = $1 and (p.entry in (select t.id from taken t) or not exists (
                select from {schema}.waiting w where {{Waits}}))
        ), woken as (
            insert into {schema}.waiting (run_at, id, queue, kind, priority, attempt, crashes)
            select (select clock_timestamp()), t.id, t.queue, t.kind, t.priority, t.attempt, t.crashes from taken t
            returning queue
        )
        select distinct q.name from woken w join {schema}.queues q on q.id = w.queue
        """;

    /// <summary>Jobs that are not paused, or do not exist, and have runs that wait for the end of a pause: a library that does not know
    /// this table ended it, or a run was locked when it ended.</summary>
    internal const string Overdue = $$"""
        select p.job_id from (select distinct p.job_id from {schema}.paused_runs p) p
        where not exists (select from {schema}.jobs j where j.id = p.job_id and j.state = {{Codes.JobPaused}})
        limit 1000
        """;

    /// <summary>Locks the job of runs that wait, so that its pause does not begin or end meanwhile, unless another transaction has locked
    /// it. $1 job. Returns whether it is paused; no row if it is locked. A job that does not exist is not paused.</summary>
    internal const string TryLockJob = LockJob + " skip locked" + StateOfHeld;

    /// <summary>As <see cref="TryLockJob"/>, but waits for the other transaction: the starts of a busy job lock it in turn.</summary>
    internal const string WaitForJob = LockJob + StateOfHeld;

    private const string LockJob =
        "with held as materialized (select j.state from {schema}.jobs j where j.id = $1::uuid for no key update";

    private const string StateOfHeld = $$"""
        )
        select h.state = {{Codes.JobPaused}} from held h
        union all
        select false where not exists (select from {schema}.jobs j where j.id = $1::uuid)
        """;
}
