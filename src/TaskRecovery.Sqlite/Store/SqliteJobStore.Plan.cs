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
            Guid.CreateVersion7(Micros.ToTime(moves.Now)), definition.Name, "", "", "", JobState.Active, null, null, null, default, default, "", 0, 0, null, null, null, moves.Now, moves.Now, null);
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
            DeclaredBy = job.DeclaredBy ?? held.DeclaredBy,
        };
        if (wanted == held)
        {
            return (held, false);
        }

        session.Get(JobSql.Save)
            .Bind(1, wanted.Id).Bind(2, wanted.Name).Bind(3, wanted.Kind).Bind(4, wanted.EntryKind).Bind(5, wanted.Args).Bind(6, wanted.Every).Bind(7, wanted.OnceAt)
            .Bind(8, wanted.StartAt).Bind(9, (int)wanted.Overlap).Bind(10, (int)wanted.MissedRuns).Bind(11, wanted.Queue).Bind(12, wanted.Priority)
            .Bind(13, wanted.MaxAttempts).Bind(14, wanted.Timeout).Bind(15, moves.Now).Bind(16, wanted.DeclaredBy).Execute();
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
        if (plan.State == JobState.Active)
        {
            Plan(moves, wanted, Micros.From(plan.Due));
            return true;
        }

        SetPlan(moves, held.Id, plan.State, Micros.From(plan.Due), null);
        return false;
    }

    private static void Pause(EntryMoves moves, JobRow job)
    {
        var settled = Settled(moves, job);
        EndPlanned(moves, job, OutcomeKind.Cancelled, EndReasons.JobNotActive);
        SetPlan(moves, job.Id, settled.State == JobState.Ended ? JobState.Ended : JobState.Paused, Micros.From(settled.NextRunAt), null);
    }

    private static void Resume(EntryMoves moves, JobRow job) => Plan(moves, job, Micros.From(JobPlanning.Resume(job.Timing, Micros.ToTime(moves.Now))));

    private static JobTiming Settled(EntryMoves moves, JobRow job)
        => job.PlannedEntry is { } entry && moves.Session.Get(JobSql.IsOver).Bind(1, entry).Exists() ? JobPlanning.Settle(job.Timing, Micros.ToTime(moves.Now)) : job.Timing;

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
