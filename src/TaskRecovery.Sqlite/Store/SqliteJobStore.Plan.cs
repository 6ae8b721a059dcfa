using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Creating, changing, pausing and deleting jobs.</content>
internal sealed partial class SqliteJobStore
{
    public async Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
    {
        var (stored, isPlanned) = await database.WriteAsync(session => Upsert(session, job), cancellationToken).ConfigureAwait(false);
        SendHint(isPlanned ? stored.Queue : null);
        return stored.ToJob();
    }

    public async Task<bool> SetPausedAsync(Guid jobId, bool paused, CancellationToken cancellationToken)
    {
        var (isThere, queue) = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { } job)
                {
                    return (false, null);
                }

                if (paused && job.State == JobState.Active)
                {
                    Pause(NewMoves(session), job);
                }
                else if (!paused && job.State == JobState.Paused)
                {
                    Resume(NewMoves(session), job);
                    return (true, job.Queue);
                }

                return (true, (string?)null);
            },
            cancellationToken).ConfigureAwait(false);
        SendHint(queue);
        return isThere;
    }

    public async Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken)
    {
        var isDeleted = await database.WriteAsync(
            session =>
            {
                if (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, jobId)) is not { } job)
                {
                    return false;
                }

                var moves = NewMoves(session);
                EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobDeleted);
                session.Get(JobSql.Delete).Bind(1, jobId).Execute();
                foreach (var entry in ReadTasks(session.Get(TaskSql.ListIncomplete).Bind(1, jobId)).Select(static task => task.EntryId).OfType<long>())
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

    private (JobRow Job, bool IsPlanned) Upsert(SqliteSession session, NewJob job)
    {
        var moves = NewMoves(session);
        var definition = job.Definition;
        var held = JobRow.ReadOne(session.Get(JobSql.FindByName).Bind(1, definition.Name));
        var isNew = held is null;
        held ??= new JobRow(
            Guid.CreateVersion7(Micros.ToTime(moves.Now)), definition.Name, "", "", "", JobState.Active, null, null, null, default, default, "", 0, 0, null, null, null, moves.Now, moves.Now);
        var wanted = held with
        {
            Kind = job.Kind,
            EntryKind = job.EntryKind,
            Args = Encoding.UTF8.GetString(job.Args.Span),
            Every = Micros.From(definition.Schedule.Interval),
            OnceAt = Micros.From(definition.Schedule.At),
            StartAt = Micros.From(definition.StartAt) ?? held.StartAt,
            Overlap = definition.Overlap,
            MissedRuns = definition.MissedRuns,
            Queue = definition.Queue ?? "default",
            Priority = definition.Priority,
            MaxAttempts = job.MaxAttempts,
            Timeout = Micros.From(definition.Timeout),
        };
        if (wanted == held)
        {
            return (held, false);
        }

        session.Get(JobSql.Save)
            .Bind(1, wanted.Id).Bind(2, wanted.Name).Bind(3, wanted.Kind).Bind(4, wanted.EntryKind).Bind(5, wanted.Args).Bind(6, wanted.Every).Bind(7, wanted.OnceAt)
            .Bind(8, wanted.StartAt).Bind(9, (int)wanted.Overlap).Bind(10, (int)wanted.MissedRuns).Bind(11, wanted.Queue).Bind(12, wanted.Priority)
            .Bind(13, wanted.MaxAttempts).Bind(14, wanted.Timeout).Bind(15, moves.Now).Execute();
        var isPlanned = Replan(moves, held, wanted, isNew);
        return (JobRow.ReadOne(session.Get(JobSql.Find).Bind(1, wanted.Id))!, isPlanned);
    }

    // A planned entry that is claimed already is about to become a run: that start plans the next one, on the new schedule.
    private static bool Replan(EntryMoves moves, JobRow held, JobRow wanted, bool isNew)
    {
        var isRescheduled = isNew || wanted.Every != held.Every || wanted.OnceAt != held.OnceAt || wanted.StartAt != held.StartAt;
        var isMoved = wanted.EntryKind != held.EntryKind || wanted.Queue != held.Queue || wanted.Priority != held.Priority
            || wanted.MaxAttempts != held.MaxAttempts || wanted.Timeout != held.Timeout;
        if (!isRescheduled && (!isMoved || held.PlannedEntry is null))
        {
            return false;
        }

        var due = isRescheduled ? FirstDue(held, wanted, isNew, moves.Now) : held.NextRunAt;
        if (held.State == JobState.Paused)
        {
            SetPlan(moves, held.Id, JobState.Paused, due, null);
            return false;
        }

        if (held.PlannedEntry is not null && !EndPlanned(moves, held, OutcomeKind.Superseded, EndReasons.Superseded))
        {
            return false;
        }

        Plan(moves, wanted, due ?? moves.Now);
        return true;
    }

    // A longer or shorter interval does not bring a run forward by itself: the next one is where it was, or one new interval from now if that is sooner.
    private static long? FirstDue(JobRow held, JobRow wanted, bool isNew, long now)
    {
        if (wanted.Every is not { } every)
        {
            return wanted.OnceAt;
        }

        if (isNew || wanted.StartAt != held.StartAt || held.Every is null)
        {
            return wanted.StartAt is { } start && (isNew || start != held.StartAt) ? start : now;
        }

        return held.NextRunAt is { } next && next < now + every ? next : now + every;
    }

    private static void Pause(EntryMoves moves, JobRow job)
    {
        EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobNotActive);
        SetPlan(moves, job.Id, JobState.Paused, job.NextRunAt, null);
    }

    // It keeps its place on its schedule; due times that passed meanwhile are not missed runs.
    private static void Resume(EntryMoves moves, JobRow job)
    {
        var due = job.NextRunAt ?? job.OnceAt ?? job.StartAt ?? moves.Now;
        Plan(moves, job, job.Every is { } every && due < moves.Now ? NextOnGrid(due, every, moves.Now) : due);
    }

    private static bool EndPlanned(EntryMoves moves, JobRow job, OutcomeKind kind, string reason)
        => job.PlannedEntry is { } entry && moves.EndWaiting(entry, kind, reason);
}
