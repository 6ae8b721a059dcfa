using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Job recovery: plans a run for each active job that has none.</summary>
internal sealed partial class SqliteJobStore
{
    // Holds the write lock for about 10 ms per batch.
    private const int PlanBatch = 1_000;

    public async Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        await ChangeAsync(
            session => session.Get(JobSql.ToResume).Bind(1, database.Now()), ResumeDue, cancellationToken).ConfigureAwait(false);
        return await ChangeAsync(static session => session.Get(JobSql.Unplanned), PlanMissing, cancellationToken).ConfigureAwait(false);
    }

    public async Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken)
        => await ChangeAsync(
            session => session.Get(JobSql.PlannedCron).Bind(1, database.Now()), Correct, cancellationToken).ConfigureAwait(false);

    /// <summary>Changes the jobs that a statement finds. Finds them with a reader: with 100,000 jobs the search alone would hold the write
    /// lock for 0.2 s every minute, mostly without finding anything.</summary>
    private async Task<JobRecovery> ChangeAsync(
        Func<SqliteSession, SqliteStatement> search, Func<EntryMoves, JobRow, bool> change, CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(session => ReadIds(search(session)), cancellationToken).ConfigureAwait(false);
        var planned = 0;
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var problems = new List<UnplannableJob>();
        foreach (var part in jobs.Chunk(PlanBatch))
        {
            var filled = await database.WriteAsync(
                session => ChangeEach(NewMoves(session), part, change, problems), cancellationToken).ConfigureAwait(false);
            planned += filled.Count;
            queues.UnionWith(filled);
        }

        foreach (var queue in queues)
        {
            SendHint(queue);
        }

        return new JobRecovery(planned, problems);
    }

    private static List<Guid> ReadIds(SqliteStatement statement)
    {
        var ids = new List<Guid>();
        while (statement.Step())
        {
            if (statement.Bytes(0).Length == 16)
            {
                ids.Add(statement.Guid(0));
            }
        }

        return ids;
    }

    /// <returns>The queues of the jobs for which an entry was stored.</returns>
    private static List<string> ChangeEach(
        EntryMoves moves, IEnumerable<Guid> ids, Func<EntryMoves, JobRow, bool> change, List<UnplannableJob> problems)
    {
        var queues = new List<string>();
        foreach (var id in ids)
        {
            if (Find(moves.Session, id) is not { } job)
            {
                continue;
            }

            try
            {
                if (change(moves, job))
                {
                    queues.Add(job.Queue);
                }
            }
            catch (Exception exception) when (UnplannableJob.IsProblem(exception))
            {
                problems.Add(new UnplannableJob(job.Name, exception.Message));
            }
        }

        return queues;
    }

    private static bool PlanMissing(EntryMoves moves, JobRow job)
    {
        // Another node may have planned it in the meantime.
        if (job.State != JobState.Active || (job.PlannedEntry is { } entry && !moves.Session.Get(JobSql.IsOver).Bind(1, entry).Exists()))
        {
            return false;
        }

        if (JobPlanning.Missing(job.Timing, wasPlanned: job.PlannedEntry is not null, Micros.ToTime(moves.Now)) is { } due)
        {
            Plan(moves, job, Micros.From(due));
            return true;
        }

        SetPlan(moves, job.Id, JobState.Ended, null, null);
        return false;
    }

    // Resumes as of the end of the pause, so that a run that was due since then is not lost.
    private static bool ResumeDue(EntryMoves moves, JobRow job)
        => job is { State: JobState.Paused, ResumeAt: { } at } && at <= moves.Now && Resume(moves, job, Micros.ToTime(at), audit: null);

    private static bool Correct(EntryMoves moves, JobRow job)
    {
        if (JobPlanning.Correct(job.Timing, Micros.ToTime(moves.Now)) is not { } due
            || moves.Session.Get(JobSql.IsOver).Bind(1, job.PlannedEntry).Exists())
        {
            return false;
        }

        EndPlanned(moves, job, OutcomeKind.Superseded, EndReasons.Superseded);
        Plan(moves, job, Micros.From(due));
        return true;
    }

    // A manually edited row can contain any values. A job that can't be planned must not block the others.
    private static JobRow? Find(SqliteSession session, Guid id)
    {
        var statement = session.Get(JobSql.Find).Bind(1, id);
        try
        {
            return JobRow.ReadOne(statement);
        }
        catch (Exception exception) when (exception is ArgumentException or OverflowException)
        {
            statement.Reset();
            return null;
        }
    }
}
