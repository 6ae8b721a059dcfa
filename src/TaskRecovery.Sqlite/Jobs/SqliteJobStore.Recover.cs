using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Job recovery: plans a run for each active job that has none.</summary>
internal sealed partial class SqliteJobStore
{
    // Holds the write lock for about 10 ms per batch.
    private const int PlanBatch = 1_000;

    public async Task<JobRecovery> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        var due = await database.ReadAsync(
            session => ReadIds(session.Get(JobSql.ToResume).Bind(1, database.Now())), cancellationToken).ConfigureAwait(false);
        var woken = new HashSet<string>(StringComparer.Ordinal);
        var resumed = await ChangeAsync(due, (moves, job) => ResumeDue(moves, job, woken), cancellationToken).ConfigureAwait(false);
        foreach (var id in await database.ReadAsync(
            static session => ReadIds(session.Get(PausedRunSql.Overdue)), cancellationToken).ConfigureAwait(false))
        {
            woken.UnionWith(await database.WriteAsync(
                session => Find(session, id) is { State: JobState.Paused } ? [] : Wake(NewMoves(session), id),
                cancellationToken).ConfigureAwait(false));
        }

        SendHints(woken);
        var planned = await PlanMissingAsync(cancellationToken).ConfigureAwait(false);
        return planned with
        {
            Unplannable = [.. resumed.Unplannable, .. planned.Unplannable],
            Overdue = await database.ReadAsync(ListOverdue, cancellationToken).ConfigureAwait(false),
        };
    }

    private List<OverdueJob> ListOverdue(SqliteSession session)
    {
        var now = database.Now();
        var jobs = new List<OverdueJob>();
        var statement = session.Get(JobSql.Overdue).Bind(1, now - Micros.From(OverdueJob.Limit)).Bind(2, OverdueJob.Most);
        while (statement.Step())
        {
            // A row that was edited by hand may have any time, which ToTime limits.
            jobs.Add(new OverdueJob(statement.Text(0), Micros.ToTime(now) - Micros.ToTime(statement.Int64(1))));
        }

        return jobs;
    }

    public async Task<JobRecovery> CorrectPlansAsync(CancellationToken cancellationToken)
    {
        var problems = new List<UnplannableJob>();
        var wrong = await database.ReadAsync(session => FindWrong(session, database.Now(), problems), cancellationToken)
            .ConfigureAwait(false);
        var corrected = await ChangeAsync(wrong, Correct, cancellationToken).ConfigureAwait(false);
        return corrected with { Unplannable = [.. problems, .. corrected.Unplannable] };
    }

    private static List<Guid> FindWrong(SqliteSession session, long now, List<UnplannableJob> problems)
    {
        var wrong = new List<Guid>();
        var planned = session.Get(JobSql.PlannedCron).Bind(1, now);
        while (planned.Step())
        {
            var job = JobRow.Read(planned);
            if (TryPlan(job, timing => JobPlanning.Correct(timing, Micros.ToTime(now)), problems) is (true, not null))
            {
                wrong.Add(job.Id);
            }
        }

        return wrong;
    }

    /// <returns>Whether the job can be planned, and the due time.</returns>
    private static (bool IsPlannable, DateTimeOffset? Due) TryPlan(
        JobRow job, Func<JobTiming, DateTimeOffset?> plan, List<UnplannableJob> problems)
    {
        try
        {
            return (true, plan(job.Timing));
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            problems.Add(UnplannableJob.Of(job.Name, exception));
            return (false, null);
        }
    }

    /// <summary>Changes jobs that a reader has found: with 100,000 jobs the search alone would hold the write lock for 0.2 s every minute,
    /// mostly without finding anything.</summary>
    private async Task<JobRecovery> ChangeAsync(
        List<Guid> jobs, Func<EntryMoves, JobRow, bool> change, CancellationToken cancellationToken)
    {
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

        SendHints(queues);

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
                problems.Add(UnplannableJob.Of(job.Name, exception));
            }
        }

        return queues;
    }

    /// <summary>Plans the jobs without a planned run. A reader reads and plans the next part while the writer stores this one, so that the
    /// write lock is held as briefly as possible.</summary>
    private async Task<JobRecovery> PlanMissingAsync(CancellationToken cancellationToken)
    {
        var jobs = await database.ReadAsync(static session => ReadIds(session.Get(JobSql.Unplanned)), cancellationToken)
            .ConfigureAwait(false);
        var planned = 0;
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var problems = new List<UnplannableJob>();
        var storing = Task.FromResult<List<string>>([]);
        foreach (var part in jobs.Chunk(PlanBatch))
        {
            var reading = database.ReadAsync(session => FindPlans(session, part, problems), cancellationToken).AsTask();
            await Task.WhenAll(storing, reading).ConfigureAwait(false);
            Count(await storing.ConfigureAwait(false));
            var plans = await reading.ConfigureAwait(false);
            storing = database.WriteAsync(session => StorePlans(NewMoves(session), plans), cancellationToken).AsTask();
        }

        Count(await storing.ConfigureAwait(false));
        SendHints(queues);

        return new JobRecovery(planned, problems);

        void Count(List<string> filled)
        {
            planned += filled.Count;
            queues.UnionWith(filled);
        }
    }

    private List<(JobRow Job, long? Due)> FindPlans(SqliteSession session, Guid[] ids, List<UnplannableJob> problems)
    {
        var now = Micros.ToTime(database.Now());
        var plans = new List<(JobRow, long?)>(ids.Length);
        foreach (var id in ids)
        {
            if (Find(session, id) is not { State: JobState.Active } job)
            {
                continue;
            }

            var plan = TryPlan(job, timing => JobPlanning.Missing(timing, wasPlanned: job.PlannedEntry is not null, now), problems);
            if (plan.IsPlannable)
            {
                plans.Add((job, Micros.From(plan.Due)));
            }
        }

        return plans;
    }

    /// <summary>Stores the plans of the jobs that have not changed since they were read. A job that has changed was planned by that change,
    /// or is by the next recovery.</summary>
    /// <returns>The queues of the jobs for which an entry was stored.</returns>
    private static List<string> StorePlans(EntryMoves moves, List<(JobRow Job, long? Due)> plans)
    {
        var queues = new List<string>(plans.Count);
        foreach (var (job, due) in plans)
        {
            if (job.PlannedEntry is { } before && !moves.Session.Get(JobSql.IsOver).Bind(1, before).Exists())
            {
                continue;
            }

            long? entry = due is { } planned ? AddPlanned(moves, job, planned) : null;
            var isStored = moves.Session.Get(JobSql.SetMissingPlan)
                .Bind(1, job.Id).Bind(2, (int)(due is null ? JobState.Ended : JobState.Active)).Bind(3, due).Bind(4, entry)
                .Bind(5, job.PlannedEntry).Bind(6, job.UpdatedAt)
                .ExecuteChanges() > 0;
            if (entry is { } added)
            {
                if (isStored)
                {
                    queues.Add(job.Queue);
                }
                else
                {
                    moves.Session.Get(WaitingSql.Take).Bind(1, added).Execute();
                    moves.Session.Get(EntrySql.Delete).Bind(1, added).Execute();
                }
            }
        }

        return queues;
    }

    private static bool ResumeDue(EntryMoves moves, JobRow job, ISet<string> woken)
        => job is { State: JobState.Paused, ResumeAt: { } at } && at <= moves.Now && Resume(moves, job, audit: null, woken);

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
