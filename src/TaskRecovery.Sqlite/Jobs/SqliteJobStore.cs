using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Jobs and tasks in a SQLite file. Every start of a run and every change of a plan is one transaction of the single
/// writer.</summary>
internal sealed partial class SqliteJobStore(SqliteDatabase database) : IJobStore
{
    public async Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken)
        => await database.ReadAsync(
            session => JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId))?.ToJob(), cancellationToken).ConfigureAwait(false);

    public async Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken)
        => await database.ReadAsync(
            session => JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, name))?.ToJob(), cancellationToken).ConfigureAwait(false);

    public async Task<JobPage> ListAsync(JobQuery query, CancellationToken cancellationToken)
        => await database.ReadAsync(session => List(session, query, withArgs: true), cancellationToken).ConfigureAwait(false);

    /// <summary>Lists a page of jobs. A search in their names returns no arguments.</summary>
    internal static JobPage List(SqliteSession session, JobQuery query, bool withArgs)
    {
        // One job more than the limit shows whether there is another page.
        var statement = query.NameContains is { } text
            ? session.Get(JobSql.Search).Bind(3, text).Bind(4, query.MaxExamined)
            : session.Get(withArgs ? JobSql.List : JobSql.ListWithoutArgs);
        var jobs = JobRow.ReadAll(statement.Bind(1, query.After).Bind(2, query.Limit + 1)).ConvertAll(static row => row.ToJob());
        return jobs.Count > query.Limit
            ? new JobPage(jobs[..query.Limit], jobs[query.Limit - 1].Name)
            : new JobPage(jobs, query.NameContains is null ? null : FindEdge(session, query));
    }

    private static string? FindEdge(SqliteSession session, JobQuery query)
        => session.Get(JobSql.Edge).Bind(1, query.After).Bind(4, query.MaxExamined).ScalarText();

    public async Task<long?> TriggerAsync(Guid jobId, OverlapPolicy? overlap, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (entry, queue) = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { State: JobState.Active } job)
                {
                    return ((long?)null, (string?)null);
                }

                var moves = NewMoves(session);
                var run = AddEntry(moves, job, null, JobEntryArgs.Write(jobId, overlap: overlap));
                EventWriter.Add(session, moves.Now, JobEvents.Of(QueueEventKind.JobTriggered, job.Name, audit) with { EntryId = run });
                return (run, job.Queue);
            },
            cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return entry;
    }

    public async Task<int> BackfillAsync(
        Guid jobId, IReadOnlyList<DateTimeOffset> dues, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (count, queue) = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { State: JobState.Active } job)
                {
                    return (0, null);
                }

                var moves = NewMoves(session);
                var missing =
                    dues.Where(due => !session.Get(TaskSql.ExistsForDue).Bind(1, jobId).Bind(2, Micros.From(due)).Exists()).ToList();
                missing.ForEach(due => AddEntry(moves, job, null, JobEntryArgs.Write(jobId, dueAt: due)));
                if (missing.Count > 0)
                {
                    EventWriter.Add(session, moves.Now, JobEvents.Backfilled(job.Name, missing.Count, dues, audit));
                }

                return (missing.Count, (string?)job.Queue);
            },
            cancellationToken).ConfigureAwait(false);
        SendHint(count > 0 ? queue : null);
        return count;
    }

    public async Task<IReadOnlyList<DeclaredJob>> ListDeclaredAsync(string application, CancellationToken cancellationToken)
        => await database.ReadAsync(
            session =>
            {
                var jobs = new List<DeclaredJob>();
                var statement = session.Get(JobSql.ListDeclared).Bind(1, application);
                while (statement.Step())
                {
                    jobs.Add(new DeclaredJob(statement.Text(0), statement.NullableText(1), statement.Boolean(2)));
                }

                return jobs;
            },
            cancellationToken).ConfigureAwait(false);

    private EntryMoves NewMoves(SqliteSession session) => new(session, database.Names, database.Now());

    private void SendHint(string? queue)
    {
        if (queue is not null)
        {
            database.Hints.Work(queue);
        }
    }

    private void SendHints(IEnumerable<string> queues)
    {
        foreach (var queue in queues)
        {
            database.Hints.Work(queue);
        }
    }

    /// <summary>Stores the entry of a run.</summary>
    private static long AddEntry(EntryMoves moves, JobRow job, long? due, string args)
        => moves.Insert(new NewEntry
        {
            Kind = job.EntryKind,
            Queue = job.Queue,
            Priority = job.Priority,
            Args = Encoding.UTF8.GetBytes(args),
            MaxAttempts = job.MaxAttempts,
            RunAt = Micros.ToTime(due),
            Timeout = Micros.ToSpan(job.Timeout),
        }).Id;

    /// <summary>Stores the entry of a planned run.</summary>
    private static long AddPlanned(EntryMoves moves, JobRow job, long due)
        => AddEntry(moves, job, due, JobEntryArgs.Write(job.Id, dueAt: Micros.ToTime(due), isPlanned: true));

    private static void Plan(EntryMoves moves, JobRow job, long due)
        => SetPlan(moves, job.Id, JobState.Active, due, AddPlanned(moves, job, due));

    private static void SetPlan(EntryMoves moves, Guid jobId, JobState state, long? due, long? entry)
        => moves.Session.Get(JobSql.SetPlan).Bind(1, jobId).Bind(2, (int)state).Bind(3, due).Bind(4, entry).Execute();
}
