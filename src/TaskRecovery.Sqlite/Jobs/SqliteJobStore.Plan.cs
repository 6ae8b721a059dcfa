using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Changing the plans of jobs, pausing and deleting jobs.</content>
internal sealed partial class SqliteJobStore
{
    public async Task<bool> PauseAsync(Guid jobId, PauseInfo pause, AuditInfo audit, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                var moves = NewMoves(session);
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { State: not JobState.Ended } job
                    || !Pause(moves, job, pause))
                {
                    return false;
                }

                EventWriter.Add(session, moves.Now, JobEvents.Paused(job.Name, pause, job.Pause, audit));
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async Task<OperatorResult> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var result = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { } job)
                {
                    return OperatorResult.NotFound;
                }

                if (job.State != JobState.Paused)
                {
                    return OperatorResult.NotPaused;
                }

                if (Resume(NewMoves(session), job, audit, queues))
                {
                    queues.Add(job.Queue);
                }

                return OperatorResult.Done;
            },
            cancellationToken).ConfigureAwait(false);
        SendHints(queues);
        return result;
    }

    public async Task SetOrphanedAsync(string application, IReadOnlyList<string> names, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                foreach (var name in names)
                {
                    session.Get(JobSql.SetOrphaned).Bind(1, name).Bind(2, database.Now()).Bind(3, application).Execute();
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async Task<bool> DeleteAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
        => await DeleteAsync((session, _) => JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)), audit, cancellationToken)
            .ConfigureAwait(false);

    public async Task<bool> DeleteOrphanAsync(
        string application, string name, TimeSpan orphanedFor, AuditInfo audit, CancellationToken cancellationToken)
        => await DeleteAsync(
            (session, now) => JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, name)) is { } job
                && string.Equals(job.DeclaredBy, application, StringComparison.Ordinal)
                && now - job.OrphanedAt >= Micros.From(orphanedFor) ? job : null,
            audit, cancellationToken).ConfigureAwait(false);

    private async Task<bool> DeleteAsync(Func<SqliteSession, long, JobRow?> find, AuditInfo audit, CancellationToken cancellationToken)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var isDeleted = await database.WriteAsync(
            session =>
            {
                var moves = NewMoves(session);
                if (find(session, moves.Now) is not { } job)
                {
                    return false;
                }

                EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobDeleted);
                queues.UnionWith(Wake(moves, job.Id));
                session.Get(JobSql.Delete).Bind(1, job.Id).Execute();
                EventWriter.Add(session, moves.Now, JobEvents.Of(QueueEventKind.JobDeleted, job.Name, audit));
                foreach (var entry in ReadTasks(session.Get(TaskSql.ListIncomplete).Bind(1, job.Id))
                    .Select(static task => task.EntryId)
                    .OfType<long>())
                {
                    SqliteQueueStore.Cancel(moves, entry, EndReasons.JobDeleted);
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
        if (isDeleted)
        {
            database.Hints.Control();
            SendHints(queues);
        }

        return isDeleted;
    }

    // Returns the queues that got work: that of the planned run, or those of the runs that have waited for the end of a pause. They were
    // stored in the queue that the job had then.
    private static string[] Replan(EntryMoves moves, JobRow held, JobRow wanted)
    {
        var isMoved = wanted.EntryKind != held.EntryKind || wanted.Queue != held.Queue || wanted.Priority != held.Priority
            || wanted.MaxAttempts != held.MaxAttempts || wanted.Timeout != held.Timeout;
        if (JobPlanning.Replan(Settled(moves, held), wanted.Timing, isMoved, Micros.ToTime(moves.Now)) is not { } plan)
        {
            return [];
        }

        EndPlanned(moves, held, OutcomeKind.Superseded, EndReasons.Superseded);
        if (held.State == JobState.Paused && plan.State != JobState.Paused)
        {
            SetPause(moves, held.Id, null);
        }

        if (plan is { State: JobState.Active, Due: { } due })
        {
            Plan(moves, wanted, Micros.From(due));
            return [wanted.Queue];
        }

        SetPlan(moves, held.Id, plan.State, Micros.From(plan.Due), null);
        return plan.State == JobState.Ended ? [.. Wake(moves, held.Id)] : [];
    }

    // Returns whether the job is paused. If its last run was cancelled, it has ended instead.
    private static bool Pause(EntryMoves moves, JobRow job, PauseInfo pause)
    {
        var now = Micros.ToTime(moves.Now);
        PauseRules.CheckEnd(pause, now);
        var due = Micros.ToTime(job.NextRunAt);
        if (job.State == JobState.Active)
        {
            var settled = Settled(moves, job);
            due = settled.NextRunAt;
            EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobNotActive);
            var state = settled.State == JobState.Ended ? JobState.Ended : JobState.Paused;
            SetPlan(moves, job.Id, state, Micros.From(settled.NextRunAt), null);
            if (state == JobState.Ended)
            {
                return false;
            }
        }

        var since = PauseRules.Begin(job.State == JobState.Paused, Micros.ToTime(job.PausedAt), due, now);
        SetPause(moves, job.Id, pause with { Since = since });
        return true;
    }

    /// <summary>Resumes a paused job; without an operator, because the time of the pause is over.</summary>
    /// <param name="moves">The transaction.</param>
    /// <param name="job">The job.</param>
    /// <param name="audit">The operator.</param>
    /// <param name="queues">Gets the queues of the runs that have waited for the end of the pause.</param>
    /// <returns>Whether a run is planned.</returns>
    private static bool Resume(EntryMoves moves, JobRow job, AuditInfo? audit, ISet<string> queues)
    {
        var (now, since, until) = (Micros.ToTime(moves.Now), Micros.ToTime(job.PausedAt), Micros.ToTime(job.ResumeAt));
        var due = JobPlanning.Resume(job.Timing, now, until, since);
        SetPause(moves, job.Id, PauseRules.KeepAfterResume(since, until, due, now));
        EventWriter.Add(moves.Session, moves.Now, JobEvents.Of(QueueEventKind.Resumed, job.Name, audit));
        queues.UnionWith(Wake(moves, job.Id));
        if (due is null)
        {
            SetPlan(moves, job.Id, JobState.Ended, null, null);
            return false;
        }

        Plan(moves, job, Micros.From(due.Value));
        return true;
    }

    private static void SetPause(EntryMoves moves, Guid jobId, PauseInfo? pause)
        => moves.Session.Get(JobSql.SetPause)
            .Bind(1, jobId).Bind(2, Micros.From(pause?.Since)).Bind(3, Micros.From(pause?.Until)).Bind(4, pause?.Actor)
            .Bind(5, pause?.Reason).Execute();

    // The requested runs that wait for the end of the pause are due now. Returns their queues.
    private static HashSet<string> Wake(EntryMoves moves, Guid jobId)
    {
        var queues = new HashSet<string>(StringComparer.Ordinal);
        var woken = moves.Session.Get(PausedRunSql.Wake).Bind(1, jobId).Bind(2, moves.Now);
        while (woken.Step())
        {
            queues.Add(woken.Text(0));
        }

        moves.Session.Get(PausedRunSql.Remove).Bind(1, jobId).Execute();
        return queues;
    }

    private static JobTiming Settled(EntryMoves moves, JobRow job)
        => job.PlannedEntry is { } entry && moves.Session.Get(JobSql.IsOver).Bind(1, entry).Exists()
            ? JobPlanning.Settle(job.Timing, Micros.ToTime(moves.Now))
            : job.Timing;

    // The planned entry is waiting, or its claim's node has not started it yet: that start will find this outcome.
    private static void EndPlanned(EntryMoves moves, JobRow job, OutcomeKind kind, string reason)
    {
        if (job.PlannedEntry is { } entry && !moves.EndWaiting(entry, kind, reason)
            && RunningEntries.ReadOne(moves.Session, entry).Find(entry) is { } run)
        {
            moves.End(
                new Run(entry, run.Fence, run.NodeNumber, run.Attempt + 1, run.Crashes, 0, MayHaveTask: false), kind, [], null, reason);
        }
    }
}
