using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Jobs and tasks in a SQLite file. Whatever starts a run or changes a plan is one transaction of the only writer.</summary>
internal sealed partial class SqliteJobStore(SqliteDatabase database) : IJobStore
{
    public async Task<Job?> FindAsync(Guid jobId, CancellationToken cancellationToken)
        => await database.ReadAsync(session => JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId))?.ToJob(), cancellationToken).ConfigureAwait(false);

    public async Task<Job?> FindByNameAsync(string name, CancellationToken cancellationToken)
        => await database.ReadAsync(session => JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, name))?.ToJob(), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<Job>> ListAsync(CancellationToken cancellationToken)
        => await database.ReadAsync(session => JobRow.ReadAll(session.Get(JobSql.List)).ConvertAll(static row => row.ToJob()), cancellationToken).ConfigureAwait(false);

    public async Task<long?> TriggerAsync(Guid jobId, CancellationToken cancellationToken)
    {
        var (entry, queue) = await database.WriteAsync(
            session => JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is { State: JobState.Active } job
                ? ((long?)AddEntry(NewMoves(session), job, null, null), (string?)job.Queue)
                : (null, null),
            cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return entry;
    }

    public async Task<int> RecoverJobsAsync(CancellationToken cancellationToken)
    {
        var planned = await database.WriteAsync(
            session =>
            {
                var moves = NewMoves(session);
                return JobRow.ReadAll(session.Get(JobSql.Unplanned)).Where(job => PlanMissing(moves, job)).Select(static job => job.Queue).ToList();
            },
            cancellationToken).ConfigureAwait(false);
        foreach (var queue in planned.Distinct(StringComparer.Ordinal))
        {
            SendHint(queue);
        }

        return planned.Count;
    }

    private EntryMoves NewMoves(SqliteSession session) => new(session, database.Names, database.Now());

    private void SendHint(string? queue)
    {
        if (queue is not null)
        {
            database.Hints.Work(queue);
        }
    }

    /// <summary>Stores an entry that stands for a run.</summary>
    private static long AddEntry(EntryMoves moves, JobRow job, long? due, Guid? task)
        => moves.Insert(new NewEntry
        {
            Kind = job.EntryKind,
            Queue = job.Queue,
            Priority = job.Priority,
            Args = Encoding.UTF8.GetBytes($$"""{"jobId":"{{job.Id}}","taskId":{{(task is { } id ? $"\"{id}\"" : "null")}}}"""),
            MaxAttempts = job.MaxAttempts,
            RunAt = Micros.ToTime(due),
            Timeout = Micros.ToSpan(job.Timeout),
        }).Id;

    // A due time whose entry has ended is over; one that never had an entry is still to come, and the policy for missed runs decides when its run starts.
    private static bool PlanMissing(EntryMoves moves, JobRow job)
    {
        var due = job.NextRunAt ?? job.OnceAt ?? job.StartAt ?? moves.Now;
        if (job.PlannedEntry is null)
        {
            Plan(moves, job, due);
            return true;
        }

        if (job.Every is not { } every)
        {
            SetPlan(moves, job.Id, JobState.Ended, null, null);
            return false;
        }

        Plan(moves, job, NextOnGrid(due, every, moves.Now));
        return true;
    }

    private static void Plan(EntryMoves moves, JobRow job, long due) => SetPlan(moves, job.Id, JobState.Active, due, AddEntry(moves, job, due, null));

    private static void SetPlan(EntryMoves moves, Guid jobId, JobState state, long? due, long? entry)
        => moves.Session.Get(JobSql.SetPlan).Bind(1, jobId).Bind(2, (int)state).Bind(3, due).Bind(4, entry).Execute();

    private static long NextOnGrid(long due, long every, long now)
        => Micros.From(DueTimes.NextOnGrid(Micros.ToTime(due), Micros.ToSpan(every), Micros.ToTime(now)));
}
