using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Creates, changes, pauses and deletes jobs: one transaction each, under the job's row lock.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int MostLooks = 100;

    public async Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
    {
        var definition = job.Definition;
        var line = definition.Queue ?? "default";
        await queue.Names.RegisterAsync([job.EntryKind], [line], cancellationToken).ConfigureAwait(false);
        var args = Json(job.Args);
        var isPlanned = await database.InTransactionAsync(
            async (connection, token) =>
            {
                var id = Guid.CreateVersion7();
                await database.ExecuteAsync(
                    connection, JobSql.Insert, [Arg.Uuid(id), Arg.Text(definition.Name), Arg.Text(job.Kind), Arg.Text(job.EntryKind), Arg.Text(args), Arg.Text(line)], token).ConfigureAwait(false);
                var held = (await LockAsync(connection, null, definition.Name, token).ConfigureAwait(false))!;
                var wanted = held with
                {
                    Kind = job.Kind,
                    EntryKind = job.EntryKind,
                    Args = args,
                    Every = Stored(definition.Schedule.Interval),
                    OnceAt = Stored(definition.Schedule.At),
                    StartAt = Stored(definition.StartAt) ?? held.StartAt,
                    Overlap = definition.Overlap,
                    MissedRuns = definition.MissedRuns,
                    Queue = line,
                    Priority = definition.Priority,
                    MaxAttempts = job.MaxAttempts,
                    Timeout = Stored(definition.Timeout),
                    DeclaredBy = job.DeclaredBy ?? held.DeclaredBy,
                };
                if (wanted == held)
                {
                    return false;
                }

                await database.ExecuteAsync(connection, JobSql.Update, UpdateArgs(wanted), token).ConfigureAwait(false);
                return await ReplanAsync(connection, held, wanted, isNew: held.Id == id, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        if (isPlanned)
        {
            queue.Hints.Work(line);
        }

        return await FindByNameAsync(definition.Name, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"Job '{definition.Name}' was deleted by another process while it was stored. Create it again.");
    }

    public async Task<bool> SetPausedAsync(Guid jobId, bool paused, CancellationToken cancellationToken)
    {
        var (isThere, line) = await database.InTransactionAsync(
            async (connection, token) =>
            {
                if (await LockAsync(connection, jobId, null, token).ConfigureAwait(false) is not { } held)
                {
                    return (false, (string?)null);
                }

                if (paused && held.State == JobState.Active)
                {
                    await PauseAsync(connection, held, token).ConfigureAwait(false);
                }
                else if (!paused && held.State == JobState.Paused)
                {
                    await ResumeAsync(connection, held, token).ConfigureAwait(false);
                    return (true, held.Queue);
                }

                return (true, (string?)null);
            },
            cancellationToken).ConfigureAwait(false);
        if (line is not null)
        {
            queue.Hints.Work(line);
        }

        return isThere;
    }

    public async Task<bool> DeleteAsync(Guid jobId, CancellationToken cancellationToken)
    {
        // Delete the job first, so that no run of it starts afterwards. If this process dies before its tasks are closed, they end as
        // job_deleted when they run again.
        var isDeleted = await database.InTransactionAsync(
            async (connection, token) =>
            {
                if (await LockAsync(connection, jobId, null, token).ConfigureAwait(false) is not { } held)
                {
                    return false;
                }

                await EndPlannedAsync(connection, held, OutcomeKind.Cancelled, EndReasons.JobDeleted, token).ConfigureAwait(false);
                await database.ExecuteAsync(connection, JobSql.Delete, [Arg.Uuid(jobId)], token).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        var unfinished = await ListIncompleteTasksAsync(jobId, cancellationToken).ConfigureAwait(false);
        long[] entries = [.. unfinished.Where(static task => task.EntryId is not null).Select(static task => task.EntryId!.Value)];
        if (entries.Length > 0)
        {
            await queue.CancelAsync(entries, EndReasons.JobDeleted, cancellationToken).ConfigureAwait(false);
        }

        return isDeleted;
    }

    private async ValueTask<bool> ReplanAsync(NpgsqlConnection connection, HeldJob held, HeldJob wanted, bool isNew, CancellationToken cancellationToken)
    {
        var isMoved = wanted.EntryKind != held.EntryKind || wanted.Queue != held.Queue || wanted.Priority != held.Priority
            || wanted.MaxAttempts != held.MaxAttempts || wanted.Timeout != held.Timeout;
        var before = isNew ? null : await SettledAsync(connection, held, cancellationToken).ConfigureAwait(false);
        if (JobPlanning.Replan(before, wanted.Timing, isMoved, held.Now) is not { } plan)
        {
            return false;
        }

        await EndPlannedAsync(connection, held, OutcomeKind.Superseded, EndReasons.Superseded, cancellationToken).ConfigureAwait(false);
        if (plan.State == JobState.Active)
        {
            await PlanAsync(connection, held.Id, plan.Due, cancellationToken).ConfigureAwait(false);
            return true;
        }

        await SetPlanAsync(connection, held.Id, plan.State, plan.Due, null, cancellationToken).ConfigureAwait(false);
        return false;
    }

    // Only now that the job's row is locked is it certain whether the planned entry has ended by itself, which changes the plan.
    private async ValueTask<JobTiming> SettledAsync(NpgsqlConnection connection, HeldJob held, CancellationToken cancellationToken)
        => held.PlannedEntry is { } entry && await IsOverAsync(connection, entry, cancellationToken).ConfigureAwait(false)
            ? JobPlanning.Settle(held.Timing, held.Now)
            : held.Timing;

    private async ValueTask PauseAsync(NpgsqlConnection connection, HeldJob held, CancellationToken cancellationToken)
    {
        var settled = await SettledAsync(connection, held, cancellationToken).ConfigureAwait(false);
        await EndPlannedAsync(connection, held, OutcomeKind.Cancelled, EndReasons.JobNotActive, cancellationToken).ConfigureAwait(false);
        var state = settled.State == JobState.Ended ? JobState.Ended : JobState.Paused;
        await SetPlanAsync(connection, held.Id, state, settled.NextRunAt, null, cancellationToken).ConfigureAwait(false);
    }

    private ValueTask ResumeAsync(NpgsqlConnection connection, HeldJob held, CancellationToken cancellationToken)
        => PlanAsync(connection, held.Id, JobPlanning.Resume(held.Timing, held.Now), cancellationToken);

    private async ValueTask PlanAsync(NpgsqlConnection connection, Guid jobId, DateTimeOffset due, CancellationToken cancellationToken)
    {
        var entry = await database.ReadAsync(
            connection,
            JobSql.AddEntry,
            [Arg.Uuid(jobId), Arg.Time(due)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? reader.GetInt64(0) : (long?)null,
            cancellationToken).ConfigureAwait(false);
        await SetPlanAsync(connection, jobId, JobState.Active, due, entry, cancellationToken).ConfigureAwait(false);
    }

    // An entry that is found neither waiting nor in a claim is moving from one to the other, so the search is repeated. An entry that is in
    // neither place cannot start.
    private async ValueTask EndPlannedAsync(NpgsqlConnection connection, HeldJob held, OutcomeKind kind, string reason, CancellationToken cancellationToken)
    {
        if (held.PlannedEntry is not { } entry)
        {
            return;
        }

        for (var look = 0; look < MostLooks; look++)
        {
            if (await EndAsync(JobSql.EndWaiting).ConfigureAwait(false) || await EndAsync(JobSql.EndClaimed).ConfigureAwait(false)
                || await IsOverAsync(connection, entry, cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }

        async ValueTask<bool> EndAsync(string statement)
            => await database.ExecuteAsync(connection, statement, [Arg.Int8(entry), Arg.Int2((int)kind), Arg.Text(reason)], cancellationToken).ConfigureAwait(false) > 0;
    }

    private ValueTask<bool> IsOverAsync(NpgsqlConnection connection, long entry, CancellationToken cancellationToken)
        => database.ReadAsync(
            connection,
            JobSql.IsOver,
            [Arg.Int8(entry)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetBoolean(0),
            cancellationToken);

    private async ValueTask SetPlanAsync(NpgsqlConnection connection, Guid jobId, JobState state, DateTimeOffset? due, long? entry, CancellationToken cancellationToken)
        => await database.ExecuteAsync(connection, JobSql.SetPlan, [Arg.Uuid(jobId), Arg.Int2((int)state), Arg.Time(due), Arg.Int8(entry)], cancellationToken).ConfigureAwait(false);

    private ValueTask<HeldJob?> LockAsync(NpgsqlConnection connection, Guid? jobId, string? name, CancellationToken cancellationToken)
        => database.ReadAsync(
            connection,
            JobSql.LockForPlan,
            [Arg.Uuid(jobId), Arg.Text(name)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false)
                ? new HeldJob(
                    reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.MicrosecondsOrNull(4), reader.TimeOrNull(5), reader.TimeOrNull(6),
                    (JobState)reader.GetInt16(7), (OverlapPolicy)reader.GetInt16(8), (MissedRunPolicy)reader.GetInt16(9), reader.GetString(10), reader.GetInt16(11),
                    reader.GetInt16(12), reader.MicrosecondsOrNull(13), reader.TimeOrNull(14), reader.IsDBNull(15) ? null : reader.GetInt64(15),
                    reader.GetFieldValue<DateTimeOffset>(16), reader.StringOrNull(17))
                : null,
            cancellationToken);

    private static NpgsqlParameter[] UpdateArgs(HeldJob job) =>
    [
        Arg.Uuid(job.Id), Arg.Text(job.Kind), Arg.Text(job.EntryKind), Arg.Text(job.Args), Arg.Int8(Microseconds(job.Every)), Arg.Time(job.OnceAt), Arg.Time(job.StartAt),
        Arg.Int2((int)job.Overlap), Arg.Int2((int)job.MissedRuns), Arg.Text(job.Queue), Arg.Int2(job.Priority), Arg.Int2(job.MaxAttempts), Arg.Int8(Microseconds(job.Timeout)), Arg.Text(job.DeclaredBy),
    ];

    private static long? Microseconds(TimeSpan? span) => span?.Ticks / TimeSpan.TicksPerMicrosecond;

    // PostgreSQL stores times in microseconds: round down, so that the value equals what is read back.
    private static DateTimeOffset? Stored(DateTimeOffset? time)
        => time is { } value ? new DateTimeOffset(value.UtcTicks - (value.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero) : null;

    private static TimeSpan? Stored(TimeSpan? span) => span is { } value ? new TimeSpan(value.Ticks - (value.Ticks % TimeSpan.TicksPerMicrosecond)) : null;

    /// <summary>A job whose row is locked.</summary>
    private sealed record HeldJob(
        Guid Id, string Kind, string EntryKind, string Args, TimeSpan? Every, DateTimeOffset? OnceAt, DateTimeOffset? StartAt, JobState State, OverlapPolicy Overlap,
        MissedRunPolicy MissedRuns, string Queue, int Priority, int MaxAttempts, TimeSpan? Timeout, DateTimeOffset? NextRunAt, long? PlannedEntry, DateTimeOffset Now,
        string? DeclaredBy)
    {
        public JobTiming Timing => new(State, Every, OnceAt, StartAt, NextRunAt, PlannedEntry is not null);
    }
}
