using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Creates, changes, pauses and deletes jobs: one transaction each, under the job's row lock.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int MostSearches = 100;

    public async Task<Job> UpsertAsync(NewJob job, CancellationToken cancellationToken)
    {
        var definition = job.Definition;
        var line = QueueOf(job);
        await queue.Names.RegisterAsync([job.EntryKind], [line], cancellationToken).ConfigureAwait(false);
        var args = Json(job.Args);
        var lines = await database.InTransactionAsync<List<string>>(
            async (connection, token) =>
            {
                if (job.DeclaredBy is not null)
                {
                    // A process that starts does not wait for a job that somebody has locked.
                    await database.LimitLocksAsync(connection, token).ConfigureAwait(false);
                }

                var id = Guid.CreateVersion7();
                HeldJob? held;
                do
                {
                    // Another process may delete the job between the two statements.
                    await database.ExecuteAsync(
                        connection, JobSql.Insert, [Arg.Uuid(id), Arg.Text(definition.Name), Arg.Text(job.Kind),
                            Arg.Text(job.EntryKind), Arg.Text(args), Arg.Text(line)], token).ConfigureAwait(false);
                    held = await LockAsync(connection, null, definition.Name, token).ConfigureAwait(false);
                }
                while (held is null);

                if (job.IsDeclaredAs(held.DeclaredAs))
                {
                    // The code declares what it declared before: what was changed at run time stays.
                    await SetDeclaredAsync(connection, held.Id, job.DeclaredBy, held.DeclaredAs, token).ConfigureAwait(false);
                    return [];
                }

                var wanted = held.With(job, args, line);
                if (wanted == held)
                {
                    return [];
                }

                if (wanted with { DeclaredBy = held.DeclaredBy, DeclaredAs = held.DeclaredAs, OrphanedAt = held.OrphanedAt } == held)
                {
                    await SetDeclaredAsync(connection, held.Id, wanted.DeclaredBy, wanted.DeclaredAs, token).ConfigureAwait(false);
                    return [];
                }

                await database.ExecuteAsync(connection, JobSql.Update, wanted.ToArgs(), token).ConfigureAwait(false);
                return await ReplanAsync(connection, held, wanted, isNew: held.Id == id, token).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        lines.ForEach(queue.Hints.Work);
        return await FindByNameAsync(definition.Name, cancellationToken).ConfigureAwait(false) ?? throw Deleted(definition.Name);
    }

    public async Task<bool> PauseAsync(Guid jobId, PauseInfo pause, AuditInfo audit, CancellationToken cancellationToken)
        => await database.InTransactionAsync(
            async (connection, token) =>
            {
                if (await LockAsync(connection, jobId, null, token).ConfigureAwait(false) is not { State: not JobState.Ended } held
                    || !await PauseAsync(connection, held, pause, token).ConfigureAwait(false))
                {
                    return false;
                }

                await database.AddEventAsync(connection, JobEvents.Paused(held.Name, pause, held.Pause, audit), token)
                    .ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);

    public async Task<OperatorResult> ResumeAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
        => await ResumeAsync(jobId, JobSql.LockForPlan, isDue: static _ => true, audit, cancellationToken).ConfigureAwait(false);

    public async Task SetOrphanedAsync(string application, IReadOnlyList<string> names, CancellationToken cancellationToken)
        => await database.InTransactionAsync(
            async (connection, token) => await database.ExecuteAsync(
                connection, JobSql.SetOrphaned, [Arg.Text(application), Arg.Array(names.ToArray(), NpgsqlDbType.Text)], token)
                .ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);

    public async Task<bool> DeleteAsync(Guid jobId, AuditInfo audit, CancellationToken cancellationToken)
        => await DeleteAsync(jobId, null, static _ => true, limitsLocks: false, audit, cancellationToken).ConfigureAwait(false);

    public async Task<bool> DeleteOrphanAsync(
        string application, string name, TimeSpan orphanedFor, AuditInfo audit, CancellationToken cancellationToken)
        => await DeleteAsync(
            null, name,
            held => string.Equals(held.DeclaredBy, application, StringComparison.Ordinal) && held.Now - held.OrphanedAt >= orphanedFor,
            limitsLocks: true, audit, cancellationToken).ConfigureAwait(false);

    private async Task<bool> DeleteAsync(
        Guid? jobId, string? name, Func<HeldJob, bool> condition, bool limitsLocks, AuditInfo audit, CancellationToken cancellationToken)
    {
        var (isDeleted, hasRunning, lines) = await database.InTransactionAsync(
            async (connection, token) =>
            {
                if (limitsLocks)
                {
                    await database.LimitLocksAsync(connection, token).ConfigureAwait(false);
                }

                if (await LockAsync(connection, jobId, name, token).ConfigureAwait(false) is not { } held || !condition(held))
                {
                    return (false, false, []);
                }

                // The locks of the tasks' entries come first: a sweep that holds one may wait for the outcome of the planned entry. The
                // waiting rows of the tasks come last: a claim that holds the planned row may wait for them.
                var entries = await LockTasksAsync(connection, held.Id, token).ConfigureAwait(false);
                await EndPlannedAsync(connection, held, OutcomeKind.Cancelled, EndReasons.JobDeleted, token).ConfigureAwait(false);
                var hasRunning = await CancelTasksAsync(connection, entries, token).ConfigureAwait(false);
                await database.ExecuteAsync(connection, JobSql.Delete, [Arg.Uuid(held.Id)], token).ConfigureAwait(false);
                await AddEventAsync(connection, QueueEventKind.JobDeleted, held, audit, token).ConfigureAwait(false);
                return (true, hasRunning, await WakeAsync(connection, held.Id, token).ConfigureAwait(false));
            },
            cancellationToken).ConfigureAwait(false);
        if (hasRunning)
        {
            queue.Hints.Control();
        }

        lines.ForEach(queue.Hints.Work);
        return isDeleted;
    }

    // Locks and returns the entries of the job's unfinished tasks. No task is created meanwhile: the job's row is locked.
    private async ValueTask<long[]> LockTasksAsync(NpgsqlConnection connection, Guid jobId, CancellationToken cancellationToken)
    {
        var unfinished = await database.ListAsync(
            connection, TaskSql.ListIncomplete, [Arg.Uuid(jobId)], static row => ReadTask(row, 0).EntryId, cancellationToken)
            .ConfigureAwait(false);
        long[] entries = [.. unfinished.OfType<long>()];
        if (entries.Length > 0)
        {
            await queue.Changes.LockAsync(connection, entries, cancellationToken).ConfigureAwait(false);
        }

        return entries;
    }

    // Returns whether any of the entries runs.
    private async ValueTask<bool> CancelTasksAsync(NpgsqlConnection connection, long[] entries, CancellationToken cancellationToken)
    {
        var changes = entries.Length == 0
            ? []
            : await queue.Changes.CancelAsync(connection, entries, EndReasons.JobDeleted, cancellationToken).ConfigureAwait(false);
        return changes.Any(static change => change.IsRunning);
    }

    // Returns the queues that got work: that of the planned run, or those of the runs that have waited for the end of a pause. They were
    // stored in the queue that the job had then.
    private async ValueTask<List<string>> ReplanAsync(
        NpgsqlConnection connection, HeldJob held, HeldJob wanted, bool isNew, CancellationToken cancellationToken)
    {
        var isMoved = wanted.EntryKind != held.EntryKind || wanted.Queue != held.Queue || wanted.Priority != held.Priority
            || wanted.MaxAttempts != held.MaxAttempts || wanted.Timeout != held.Timeout;
        var before = isNew ? null : await SettledAsync(connection, held, cancellationToken).ConfigureAwait(false);
        if (JobPlanning.Replan(before, wanted.Timing, isMoved, held.Now) is not { } plan)
        {
            return [];
        }

        await EndPlannedAsync(connection, held, OutcomeKind.Superseded, EndReasons.Superseded, cancellationToken).ConfigureAwait(false);
        if (held.State == JobState.Paused && plan.State != JobState.Paused)
        {
            await SetPauseAsync(connection, held.Id, null, cancellationToken).ConfigureAwait(false);
        }

        if (plan is { State: JobState.Active, Due: { } due })
        {
            await PlanAsync(connection, held.Id, due, cancellationToken).ConfigureAwait(false);
            return [wanted.Queue];
        }

        await SetPlanAsync(connection, held.Id, plan.State, plan.Due, null, cancellationToken).ConfigureAwait(false);
        return plan.State == JobState.Ended ? await WakeAsync(connection, held.Id, cancellationToken).ConfigureAwait(false) : [];
    }

    // Only now that the job's row is locked is it certain whether the planned entry has ended by itself, which changes the plan.
    private async ValueTask<JobTiming> SettledAsync(NpgsqlConnection connection, HeldJob held, CancellationToken cancellationToken)
        => held.PlannedEntry is { } entry && await IsOverAsync(connection, entry, cancellationToken).ConfigureAwait(false)
            ? JobPlanning.Settle(held.Timing, held.Now)
            : held.Timing;

    // Returns whether the job is paused. If its last run was cancelled, it has ended instead.
    private async ValueTask<bool> PauseAsync(
        NpgsqlConnection connection, HeldJob held, PauseInfo pause, CancellationToken cancellationToken)
    {
        PauseRules.CheckEnd(pause, held.Now);
        var due = held.NextRunAt;
        if (held.State == JobState.Active)
        {
            var settled = await SettledAsync(connection, held, cancellationToken).ConfigureAwait(false);
            due = settled.NextRunAt;
            await EndPlannedAsync(
                connection, held, OutcomeKind.Cancelled, EndReasons.JobNotActive, cancellationToken).ConfigureAwait(false);
            var state = settled.State == JobState.Ended ? JobState.Ended : JobState.Paused;
            await SetPlanAsync(connection, held.Id, state, settled.NextRunAt, null, cancellationToken).ConfigureAwait(false);
            if (state == JobState.Ended)
            {
                return false;
            }
        }

        var since = PauseRules.Begin(held.State == JobState.Paused, held.PausedAt, due, held.Now);
        await SetPauseAsync(connection, held.Id, pause with { Since = since }, cancellationToken).ConfigureAwait(false);
        return true;
    }

    // Without an operator, the time of the pause is over.
    private async Task<OperatorResult> ResumeAsync(
        Guid jobId, string lockStatement, Func<HeldJob, bool> isDue, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var (result, lines) = await database.InTransactionAsync<(OperatorResult Result, List<string> Lines)>(
            async (connection, token) =>
            {
                if (await LockAsync(connection, lockStatement, jobId, null, token).ConfigureAwait(false) is not { } held)
                {
                    return (OperatorResult.NotFound, []);
                }

                if (held.State != JobState.Paused || !isDue(held))
                {
                    return (OperatorResult.NotPaused, []);
                }

                var isPlanned = await ResumeAsync(connection, held, token).ConfigureAwait(false);
                await AddEventAsync(connection, QueueEventKind.Resumed, held, audit, token).ConfigureAwait(false);
                var lines = await WakeAsync(connection, held.Id, token).ConfigureAwait(false);
                return (OperatorResult.Done, isPlanned && !lines.Contains(held.Queue) ? [.. lines, held.Queue] : lines);
            },
            cancellationToken).ConfigureAwait(false);
        lines.ForEach(queue.Hints.Work);
        return result;
    }

    private async ValueTask<bool> ResumeAsync(NpgsqlConnection connection, HeldJob held, CancellationToken cancellationToken)
    {
        var due = JobPlanning.Resume(held.Timing, held.Now, held.ResumeAt, held.PausedAt);
        var past = PauseRules.KeepAfterResume(held.PausedAt, held.ResumeAt, due, held.Now);
        await SetPauseAsync(connection, held.Id, past, cancellationToken).ConfigureAwait(false);
        if (due is { } next)
        {
            await PlanAsync(connection, held.Id, next, cancellationToken).ConfigureAwait(false);
            return true;
        }

        await SetPlanAsync(connection, held.Id, JobState.Ended, null, null, cancellationToken).ConfigureAwait(false);
        return false;
    }

    // The requested runs that wait for the end of the pause are due now. Returns their queues.
    private ValueTask<List<string>> WakeAsync(NpgsqlConnection connection, Guid jobId, CancellationToken cancellationToken)
        => database.ListAsync(connection, PausedRunSql.Wake, [Arg.Uuid(jobId)], static row => row.GetString(0), cancellationToken);

    private async ValueTask AddEventAsync(
        NpgsqlConnection connection, QueueEventKind kind, HeldJob held, AuditInfo? audit, CancellationToken cancellationToken)
        => await database.AddEventAsync(connection, JobEvents.Of(kind, held.Name, audit), cancellationToken).ConfigureAwait(false);

    private async ValueTask SetPauseAsync(NpgsqlConnection connection, Guid jobId, PauseInfo? pause, CancellationToken cancellationToken)
        => await database.ExecuteAsync(
            connection, JobSql.SetPause, [Arg.Uuid(jobId), Arg.Time(pause?.Since), Arg.Time(pause?.Until),
                Arg.Text(pause?.Actor), Arg.Text(pause?.Reason)], cancellationToken).ConfigureAwait(false);

    private async ValueTask SetDeclaredAsync(
        NpgsqlConnection connection, Guid jobId, string? application, string? declaredAs, CancellationToken cancellationToken)
        => await database.ExecuteAsync(connection, JobSql.SetDeclared, [Arg.Uuid(jobId),
            Arg.Text(application), Arg.Text(declaredAs)], cancellationToken).ConfigureAwait(false);

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

    // Each statement has a snapshot of its own, so that an entry which moves from one place to the other may be found in neither. The
    // search is repeated until one snapshot shows that it is in neither place: then it cannot start.
    private async ValueTask EndPlannedAsync(
        NpgsqlConnection connection, HeldJob held, OutcomeKind kind, string reason, CancellationToken cancellationToken)
    {
        if (held.PlannedEntry is not { } entry)
        {
            return;
        }

        for (var search = 0; search < MostSearches; search++)
        {
            if (await EndAsync(JobSql.EndWaiting).ConfigureAwait(false) || await EndAsync(JobSql.EndClaimed).ConfigureAwait(false)
                || await IsOverAsync(connection, entry, cancellationToken).ConfigureAwait(false)
                || await IsAsync(connection, JobSql.IsNowhere, entry, cancellationToken).ConfigureAwait(false))
            {
                return;
            }
        }

        // With a change of the plan, the entry would run in addition to the new plan.
        throw new StoreUnavailableException(
            $"Job '{held.Name}' was not changed: its planned run (entry {entry}) moved between nodes during each of {MostSearches} "
            + "searches. Repeat the change.");

        async ValueTask<bool> EndAsync(string statement)
            => await database.ExecuteAsync(connection, statement, [Arg.Int8(entry),
                Arg.Int2((int)kind), Arg.Text(reason)], cancellationToken).ConfigureAwait(false) > 0;
    }

    private ValueTask<bool> IsOverAsync(NpgsqlConnection connection, long entry, CancellationToken cancellationToken)
        => IsAsync(connection, JobSql.IsOver, entry, cancellationToken);

    private ValueTask<bool> IsAsync(NpgsqlConnection connection, string statement, long entry, CancellationToken cancellationToken)
        => database.ReadAsync(
            connection,
            statement,
            [Arg.Int8(entry)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetBoolean(0),
            cancellationToken);

    private async ValueTask SetPlanAsync(
        NpgsqlConnection connection, Guid jobId, JobState state, DateTimeOffset? due, long? entry, CancellationToken cancellationToken)
        => await database.ExecuteAsync(connection, JobSql.SetPlan, [Arg.Uuid(jobId),
            Arg.Int2((int)state), Arg.Time(due), Arg.Int8(entry)], cancellationToken).ConfigureAwait(false);

    private ValueTask<HeldJob?> LockAsync(NpgsqlConnection connection, Guid? jobId, string? name, CancellationToken cancellationToken)
        => LockAsync(connection, JobSql.LockForPlan, jobId, name, cancellationToken);

    private ValueTask<HeldJob?> LockAsync(
        NpgsqlConnection connection, string statement, Guid? jobId, string? name, CancellationToken cancellationToken)
        => database.ReadAsync(
            connection,
            statement,
            [Arg.Uuid(jobId), Arg.Text(name)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? HeldJob.Read(reader) : null,
            cancellationToken);
}
