using System.Runtime.ExceptionServices;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Creating and changing jobs.</content>
internal sealed partial class SqliteJobStore
{
    // Holds the write lock for about 15 ms.
    private const int UpsertBatch = 1_000;

    public async Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
        => await UpsertAsync(Draft(job), cancellationToken).ConfigureAwait(false);

    private async Task<Job> UpsertAsync(NewJobDraft draft, CancellationToken cancellationToken)
    {
        var (stored, queues) = await database.WriteAsync(session => Upsert(session, draft), cancellationToken).ConfigureAwait(false);
        SendHints(queues);
        return stored.ToJob();
    }

    public async Task<IReadOnlyList<Job>> UpsertManyAsync(IReadOnlyList<NewJob> jobs, CancellationToken cancellationToken)
    {
        var stored = new List<Job>(jobs.Count);
        var storing = Task.FromResult<List<Job>>([]);
        foreach (var part in jobs.Chunk(UpsertBatch))
        {
            // The next part is planned while this one is stored.
            NewJobDraft[] drafts;
            try
            {
                drafts = Array.ConvertAll(part, Draft);
            }
            finally
            {
                stored.AddRange(await storing.ConfigureAwait(false));
            }

            storing = UpsertPartAsync(drafts, cancellationToken);
        }

        stored.AddRange(await storing.ConfigureAwait(false));
        return stored;
    }

    private async Task<List<Job>> UpsertPartAsync(NewJobDraft[] jobs, CancellationToken cancellationToken)
    {
        try
        {
            var stored = await database.WriteAsync(
                session => Array.ConvertAll(jobs, job => Upsert(session, job)), cancellationToken).ConfigureAwait(false);
            SendHints(stored.SelectMany(static row => row.Queues).Distinct(StringComparer.Ordinal));
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

    /// <summary>Computes the row and the plan that the job has if it is new, before the write lock is taken: jobs are declared by the
    /// thousand.</summary>
    private NewJobDraft Draft(NewJob job)
    {
        var now = database.Now();
        var row = Wanted(
            new JobRow
            {
                Id = Guid.CreateVersion7(Micros.ToTime(now)),
                Name = job.Definition.Name,
                Kind = "",
                EntryKind = "",
                Args = "",
                Queue = "",
                CreatedAt = now,
                UpdatedAt = now,
            },
            job);
        try
        {
            var plan = JobPlanning.Replan(null, row.Timing, isMoved: true, Micros.ToTime(now))!;
            return new NewJobDraft(job, row with { State = plan.State, NextRunAt = Micros.From(plan.Due) }, Problem: null);
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            // Only a problem if the job is new.
            return new NewJobDraft(job, row, ExceptionDispatchInfo.Capture(exception));
        }
    }

    private static JobRow Wanted(JobRow held, NewJob job)
    {
        var definition = job.Definition;
        return held with
        {
            Kind = job.Kind,
            EntryKind = job.EntryKind,
            Args = Encoding.UTF8.GetString(job.Args.Span),
            Every = Micros.From(definition.Schedule.Interval),
            OnceAt = Micros.From(definition.Schedule.At),
            Cron = definition.Schedule.Expression,
            TimeZone = definition.Schedule.TimeZone,
            StartAt = Micros.From(definition.StartAt),
            EndAt = Micros.FromEnd(definition.EndAt),
            Exceptions = definition.Except?.Text,
            Overlap = definition.Overlap,
            MissedRuns = definition.MissedRuns,
            CatchUpWithin = Micros.From(definition.CatchUpWithin),
            CatchUpLimit = definition.CatchUpLimit,
            ExpiresAfter = Micros.From(definition.ExpiresAfter),
            Queue = definition.Queue ?? "default",
            Priority = definition.Priority,
            MaxAttempts = job.KeepsMaxAttempts && held.MaxAttempts > 0 ? held.MaxAttempts : job.MaxAttempts,
            Timeout = Micros.From(definition.Timeout),
            DeclaredBy = job.DeclaredBy ?? held.DeclaredBy,
            DeclaredAs = job.DeclaredAs ?? held.DeclaredAs,
            OrphanedAt = job.DeclaredBy is null ? held.OrphanedAt : null,
        };
    }

    private (JobRow Job, string[] Queues) Upsert(SqliteSession session, NewJobDraft draft)
    {
        var moves = NewMoves(session);
        var job = draft.Job;
        if (JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, job.Definition.Name)) is not { } held)
        {
            draft.Problem?.Throw();
            session.Get(JobSql.DeleteUnreadable).Bind(1, job.Definition.Name).Execute();
            return Insert(moves, draft.Row);
        }

        if (job.IsDeclaredAs(held.DeclaredAs))
        {
            // The code declares what it declared before: what was changed at run time stays.
            session.Get(JobSql.SetDeclared).Bind(1, held.Id).Bind(2, job.DeclaredBy).Bind(3, held.DeclaredAs).Execute();
            return (held with { DeclaredBy = job.DeclaredBy, OrphanedAt = null }, []);
        }

        var wanted = Wanted(held, job);
        if (wanted == held)
        {
            return (held, []);
        }

        if (wanted with { DeclaredBy = held.DeclaredBy, DeclaredAs = held.DeclaredAs, OrphanedAt = held.OrphanedAt } == held)
        {
            session.Get(JobSql.SetDeclared).Bind(1, held.Id).Bind(2, wanted.DeclaredBy).Bind(3, wanted.DeclaredAs).Execute();
            return (wanted, []);
        }

        Bind(session.Get(JobSql.Update), wanted, moves.Now).Execute();
        var queues = Replan(moves, held, wanted);
        return (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, wanted.Id))!, queues);
    }

    private static (JobRow Job, string[] Queues) Insert(EntryMoves moves, JobRow row)
    {
        var entry = row is { State: JobState.Active, NextRunAt: { } due }
            ? AddPlanned(moves, row, due)
            : (long?)null;
        Bind(moves.Session.Get(JobSql.Insert), row, row.CreatedAt)
            .Bind(26, (int)row.State).Bind(27, row.NextRunAt).Bind(28, entry).Execute();
        return (row with { PlannedEntry = entry }, entry is null ? [] : [row.Queue]);
    }

    private static SqliteStatement Bind(SqliteStatement statement, JobRow job, long now) => statement
        .Bind(1, job.Id).Bind(2, job.Name).Bind(3, job.Kind).Bind(4, job.EntryKind).Bind(5, job.Args).Bind(6, job.Every).Bind(7, job.OnceAt)
        .Bind(8, job.StartAt).Bind(9, (int)job.Overlap).Bind(10, (int)job.MissedRuns).Bind(11, job.Queue).Bind(12, job.Priority)
        .Bind(13, job.MaxAttempts).Bind(14, job.Timeout).Bind(15, now).Bind(16, job.DeclaredBy).Bind(17, job.Cron).Bind(18, job.TimeZone)
        .Bind(19, job.EndAt).Bind(20, job.Exceptions).Bind(21, job.CatchUpWithin).Bind(22, job.CatchUpLimit).Bind(23, job.ExpiresAfter)
        .Bind(24, job.DeclaredAs).Bind(25, job.OrphanedAt);

    /// <summary>A job to store.</summary>
    /// <param name="Job">The job.</param>
    /// <param name="Row">Its row with its plan, if it is new.</param>
    /// <param name="Problem">Why it can't be planned, if it is new.</param>
    private sealed record NewJobDraft(NewJob Job, JobRow Row, ExceptionDispatchInfo? Problem);
}
