using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Creating, changing, pausing and deleting jobs.</content>
internal sealed partial class SqliteJobStore
{
    // Holds the write lock for about 10 ms.
    private const int UpsertBatch = 200;

    public async Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
    {
        var (stored, isPlanned) = await database.WriteAsync(session => Upsert(session, job), cancellationToken).ConfigureAwait(false);
        SendHint(isPlanned ? stored.Queue : null);
        return stored.ToJob();
    }

    public async Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        var stored = new List<Job>(jobs.Count);
        foreach (var part in jobs.Chunk(UpsertBatch))
        {
            stored.AddRange(await UpsertPartAsync(part, cancellationToken).ConfigureAwait(false));
        }

        return stored;
    }

    public async Task<bool> PauseAsync(Guid jobId, JobPause pause, AuditInfo audit, CancellationToken cancellationToken)
        => await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { } job)
                {
                    return false;
                }

                if (job.State != JobState.Ended)
                {
                    var moves = NewMoves(session);
                    Pause(moves, job, pause);
                    EventWriter.Add(session, moves.Now, JobEvents.Of(QueueEventKind.Paused, job.Name, audit));
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async Task<bool> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (isThere, queue) = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { } job)
                {
                    return (false, null);
                }

                if (job.State != JobState.Paused)
                {
                    return (true, null);
                }

                var moves = NewMoves(session);
                return (true, Resume(moves, job, audit) ? job.Queue : null);
            },
            cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return isThere;
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
        var isDeleted = await database.WriteAsync(
            session =>
            {
                var moves = NewMoves(session);
                if (find(session, moves.Now) is not { } job)
                {
                    return false;
                }

                EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobDeleted);
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
        }

        return isDeleted;
    }

    private async Task<List<Job>> UpsertPartAsync(NewJob[] jobs, CancellationToken cancellationToken)
    {
        try
        {
            var stored = await database.WriteAsync(
                session => Array.ConvertAll(jobs, job => Upsert(session, job)), cancellationToken).ConfigureAwait(false);
            foreach (var line in stored.Where(static row => row.IsPlanned).Select(static row => row.Job.Queue)
                .Distinct(StringComparer.Ordinal))
            {
                SendHint(line);
            }

            return [.. stored.Select(static row => row.Job.ToJob())];
        }
        catch (Exception exception) when (jobs.Length > 1 && exception is not (StoreUnavailableException or OperationCanceledException))
        {
            // One of them can't be stored. Storing them one by one shows which.
        }

        var each = new List<Job>(jobs.Length);
        foreach (var job in jobs)
        {
            each.Add(await UpsertAsync(job, cancellationToken).ConfigureAwait(false));
        }

        return each;
    }

    private (JobRow Job, bool IsPlanned) Upsert(SqliteSession session, NewJob job)
    {
        var moves = NewMoves(session);
        var definition = job.Definition;
        var held = JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, definition.Name));
        var isNew = held is null;
        held ??= new JobRow
        {
            Id = Guid.CreateVersion7(Micros.ToTime(moves.Now)),
            Name = definition.Name,
            Kind = "",
            EntryKind = "",
            Args = "",
            Queue = "",
            CreatedAt = moves.Now,
            UpdatedAt = moves.Now,
        };
        if (job.DeclaredAs is not null && job.DeclaredAs == held.DeclaredAs)
        {
            // The code declares what it declared before: what was changed at run time stays.
            session.Get(JobSql.SetDeclared).Bind(1, held.Id).Bind(2, job.DeclaredBy).Bind(3, job.DeclaredAs).Execute();
            return (held with { DeclaredBy = job.DeclaredBy, OrphanedAt = null }, false);
        }

        var wanted = held with
        {
            Kind = job.Kind,
            EntryKind = job.EntryKind,
            Args = Encoding.UTF8.GetString(job.Args.Span),
            Every = Micros.From(definition.Schedule.Interval),
            OnceAt = Micros.From(definition.Schedule.At),
            Cron = definition.Schedule.Expression,
            TimeZone = definition.Schedule.TimeZone,
            StartAt = Micros.From(definition.StartAt) ?? held.StartAt,
            EndAt = Micros.From(definition.EndAt),
            Exceptions = definition.Except?.Text,
            Overlap = definition.Overlap,
            MissedRuns = definition.MissedRuns,
            CatchUpWithin = Micros.From(definition.CatchUpWithin),
            CatchUpLimit = definition.CatchUpLimit,
            ExpiresAfter = Micros.From(definition.ExpiresAfter),
            Queue = definition.Queue ?? "default",
            Priority = definition.Priority,
            MaxAttempts = job.MaxAttempts,
            Timeout = Micros.From(definition.Timeout),
            DeclaredBy = job.DeclaredBy ?? held.DeclaredBy,
            DeclaredAs = job.DeclaredAs ?? held.DeclaredAs,
            OrphanedAt = job.DeclaredBy is null ? held.OrphanedAt : null,
        };
        if (wanted == held)
        {
            return (held, false);
        }

        if (wanted with { DeclaredBy = held.DeclaredBy, DeclaredAs = held.DeclaredAs, OrphanedAt = held.OrphanedAt } == held)
        {
            session.Get(JobSql.SetDeclared).Bind(1, held.Id).Bind(2, wanted.DeclaredBy).Bind(3, wanted.DeclaredAs).Execute();
            return (wanted, false);
        }

        session.Get(JobSql.Save)
            .Bind(1, wanted.Id).Bind(2, wanted.Name).Bind(3, wanted.Kind).Bind(4, wanted.EntryKind)
            .Bind(5, wanted.Args).Bind(6, wanted.Every).Bind(7, wanted.OnceAt)
            .Bind(8, wanted.StartAt).Bind(9, (int)wanted.Overlap)
            .Bind(10, (int)wanted.MissedRuns).Bind(11, wanted.Queue).Bind(12, wanted.Priority)
            .Bind(13, wanted.MaxAttempts).Bind(14, wanted.Timeout).Bind(15, moves.Now).Bind(16, wanted.DeclaredBy)
            .Bind(17, wanted.Cron).Bind(18, wanted.TimeZone).Bind(19, wanted.EndAt)
            .Bind(20, wanted.Exceptions).Bind(21, wanted.CatchUpWithin)
            .Bind(22, wanted.CatchUpLimit).Bind(23, wanted.ExpiresAfter).Bind(24, wanted.DeclaredAs).Bind(25, wanted.OrphanedAt).Execute();
        var isPlanned = Replan(moves, held, wanted, isNew);
        return (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, wanted.Id))!, isPlanned);
    }

    private static bool Replan(EntryMoves moves, JobRow held, JobRow wanted, bool isNew)
    {
        var isMoved = wanted.EntryKind != held.EntryKind || wanted.Queue != held.Queue || wanted.Priority != held.Priority
            || wanted.MaxAttempts != held.MaxAttempts || wanted.Timeout != held.Timeout;
        if (JobPlanning.Replan(isNew ? null : Settled(moves, held), wanted.Timing, isMoved, Micros.ToTime(moves.Now)) is not { } plan)
        {
            return false;
        }

        EndPlanned(moves, held, OutcomeKind.Superseded, EndReasons.Superseded);
        if (plan is { State: JobState.Active, Due: { } due })
        {
            Plan(moves, wanted, Micros.From(due));
            return true;
        }

        SetPlan(moves, held.Id, plan.State, Micros.From(plan.Due), null);
        return false;
    }

    private static void Pause(EntryMoves moves, JobRow job, JobPause pause)
    {
        if (job.State == JobState.Active)
        {
            var settled = Settled(moves, job);
            EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobNotActive);
            SetPlan(
                moves, job.Id, settled.State == JobState.Ended ? JobState.Ended : JobState.Paused, Micros.From(settled.NextRunAt), null);
        }

        moves.Session.Get(JobSql.SetPause)
            .Bind(1, job.Id).Bind(2, job.PausedAt ?? moves.Now)
            .Bind(3, Micros.From(pause.Until)).Bind(4, pause.By).Bind(5, pause.Reason).Execute();
    }

    /// <summary>Resumes a paused job; without an operator, because the time of the pause is over.</summary>
    /// <returns>Whether a run is planned.</returns>
    private static bool Resume(EntryMoves moves, JobRow job, AuditInfo? audit)
    {
        var due = JobPlanning.Resume(job.Timing, Micros.ToTime(moves.Now), Micros.ToTime(job.ResumeAt));
        moves.Session.Get(JobSql.SetPause).Bind(1, job.Id).BindNull(2).BindNull(3).BindNull(4).BindNull(5).Execute();
        EventWriter.Add(moves.Session, moves.Now, JobEvents.Of(QueueEventKind.Resumed, job.Name, audit));
        if (due is null)
        {
            SetPlan(moves, job.Id, JobState.Ended, null, null);
            return false;
        }

        Plan(moves, job, Micros.From(due.Value));
        return true;
    }

    private static JobTiming Settled(EntryMoves moves, JobRow job)
        => job.PlannedEntry is { } entry && moves.Session.Get(JobSql.IsOver).Bind(1, entry).Exists()
            ? JobPlanning.Settle(job.Timing, Micros.ToTime(moves.Now))
            : job.Timing;

    // The planned entry is waiting, or its claim's node has not started it yet: that start will find this outcome.
    private static void EndPlanned(EntryMoves moves, JobRow job, OutcomeKind kind, string reason)
    {
        if (job.PlannedEntry is not { } entry || moves.EndWaiting(entry, kind, reason))
        {
            return;
        }

        var statement = moves.Session.Get(ClaimSql.FindRunning).Bind(1, entry);
        if (!statement.Step())
        {
            return;
        }

        var (fence, node) = (statement.Int64(0), statement.Int64(1));
        var contents = ClaimContents.Parse(statement.Bytes(2), statement.Bytes(3), statement.Bytes(4));
        statement.Reset();
        contents.TryGet(entry, out var attempt, out var crashes);
        moves.End(new Run(entry, fence, node, attempt + 1, crashes, 0, MayHaveTask: false), kind, [], null, reason);
    }
}
