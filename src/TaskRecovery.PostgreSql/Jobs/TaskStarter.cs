using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Starts runs, in one transaction for all of a batch: reads the facts under the locks of the jobs, lets
/// <see cref="TaskStartRules"/> judge them, and applies the verdicts.</summary>
internal sealed class TaskStarter(PostgreSqlDatabase database, HintSender hints)
{
    /// <summary>Starts runs. No request may be repeated.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="waits">Whether to wait for the locks of the job and its tasks, for a limited time: then all requests are for the same
    /// job.</param>
    /// <returns>One answer for each request, in the same order; <see langword="null"/> if another transaction has locked its job, or the
    /// task that the run would continue, so that nothing was changed for it.</returns>
    /// <exception cref="StoreUnavailableException">Nothing was changed if it is a lock timeout.</exception>
    internal async Task<TaskStart?[]> StartAsync(IReadOnlyList<TaskStartRequest> requests, bool waits)
    {
        // What has begun is not interrupted: the answer would be lost, and the connection with it.
        var all = await database.UseAsync(
            async (connection, token) =>
            {
                var transaction = await connection.BeginTransactionAsync(token).ConfigureAwait(false);
                await using var _ = transaction.ConfigureAwait(false);
                var all = await ReadFactsAsync(connection, requests, waits, token).ConfigureAwait(false);
                PendingStart[] starts = [.. all.OfType<PendingStart>()];
                Judge(starts);
                var changes = Array.FindAll(starts, static start => start.ChangesAnything);
                if (changes.Length > 0)
                {
                    var hasEvents = Array.Exists(changes, static start => start.Verdict.Next is { Dropped: > 0 });
                    await PutBackAsync(connection, changes, token).ConfigureAwait(false);
                    await ApplyAsync(connection, changes, commits: !hasEvents, token).ConfigureAwait(false);
                    if (hasEvents)
                    {
                        await AddEventsAsync(connection, changes, token).ConfigureAwait(false);
                        await database.ExecuteAsync(connection, PostgreSqlDatabase.Commit, [], token).ConfigureAwait(false);
                    }
                }

                return all;
            },
            CancellationToken.None).ConfigureAwait(false);
        foreach (var late in all.OfType<PendingStart>().Where(static start => start.Verdict.Next?.Due <= start.Facts.Now))
        {
            hints.Work(late.Job!.Queue);
        }

        return Array.ConvertAll(all, static start => start?.ToAnswer());
    }

    private async ValueTask<PendingStart?[]> ReadFactsAsync(
        NpgsqlConnection connection, IReadOnlyList<TaskStartRequest> requests, bool waits, CancellationToken cancellationToken)
    {
        var jobs = Arg.Array(Column(requests, static request => request.JobId), NpgsqlDbType.Uuid);
        var entries = Arg.Array(Column(requests, static request => request.EntryId), NpgsqlDbType.Bigint);
        Statement[] locks = waits
            ? [new Statement(StartSql.LimitWait), new Statement(StartSql.WaitForLock, jobs)]
            : [database.LimitLocks, new Statement(StartSql.Lock, jobs)];
        var locked = new HashSet<Guid>();
        var free = new HashSet<long>();
        var starts = new PendingStart?[requests.Count];
        await database.ReadEachAsync(
            connection,
            [
                .. locks,
                new Statement(
                    StartSql.Facts,
                    Arg.Array(Column(requests, static request => request.NodeId), NpgsqlDbType.Uuid),
                    entries,
                    Arg.Array(Column(requests, static request => request.Fence), NpgsqlDbType.Bigint),
                    Arg.Array(Column(requests, static request => request.JobId), NpgsqlDbType.Uuid),
                    Arg.Array(Column(requests, static request => request.TaskId), NpgsqlDbType.Uuid),
                    Arg.Array(Column(requests, static request => Arg.Instant(request.DueAt)), NpgsqlDbType.TimestampTz),
                    Arg.Array(Column(requests, static request => (short?)request.Overlap), NpgsqlDbType.Smallint)),
                new Statement(waits ? StartSql.WaitForTasks : StartSql.LockTasks, entries),
            ],
            async (number, reader, token) =>
            {
                while (number >= locks.Length - 1 && await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    if (number < locks.Length)
                    {
                        locked.Add(reader.GetGuid(0));
                        continue;
                    }

                    if (number > locks.Length)
                    {
                        free.Add(reader.GetInt64(0));
                        continue;
                    }

                    // Without a job there is nothing to lock.
                    var index = (int)reader.GetInt64(0) - 1;
                    var start = ReadStart(reader, requests[index]);
                    starts[index] = start.Job is null || locked.Contains(requests[index].JobId) ? start : null;
                }
            },
            commits: false,
            cancellationToken).ConfigureAwait(false);
        return Array.ConvertAll(
            starts,
            start => start is { Facts.Bound: < TaskState.Completed } && !free.Contains(start.Request.EntryId) ? null : start);
    }

    // Several runs of one job may start in one batch: each is judged as if those before it had been applied. All facts have one snapshot,
    // so that what the earlier starts of the batch have changed is added to them.
    private static void Judge(PendingStart[] starts)
    {
        var changes = new Dictionary<Guid, BatchChange>();
        foreach (var start in starts)
        {
            if (start.Facts.Job is not { } job)
            {
                start.Verdict = TaskStartRules.Judge(start.Facts);
                continue;
            }

            var before = changes.GetValueOrDefault(start.Request.JobId);
            job = job with
            {
                HasUnfinishedTask = job.HasUnfinishedTask || before.HasTask,
                HasUnfinishedTaskSinceDue = job.HasUnfinishedTaskSinceDue || before.HasNewTask,
                HasQueuedTask = start.QueuedTasks + before.Queued > 0,
                HasEarlierTask = job.HasEarlierTask || before.HasStarted,
                Timing = start.IsPlanned ? job.Timing : before.Timing ?? job.Timing,
            };
            start.Facts = start.Facts with { Job = job };
            start.Verdict = TaskStartRules.Judge(start.Facts);
            changes[start.Request.JobId] = before.With(start);
        }
    }

    private async ValueTask ApplyAsync(
        NpgsqlConnection connection, PendingStart[] changes, bool commits, CancellationToken cancellationToken)
    {
        var refused = await database.ReadLastAsync(
            connection,
            [
                new Statement(
                    StartSql.Apply,
                    Arg.Time(changes[0].Facts.Now),
                    Arg.Array(Column(changes, static start => start.Request.EntryId), NpgsqlDbType.Bigint),
                    Arg.Array(Column(changes, static start => start.Request.Fence), NpgsqlDbType.Bigint),
                    Arg.Array(Column(changes, static start => start.Request.JobId), NpgsqlDbType.Uuid),
                    Arg.Array(Column(changes, static start => start.Action), NpgsqlDbType.Smallint),
                    Arg.Array(Column(changes, static start => (short)start.Request.Attempt), NpgsqlDbType.Smallint),
                    Arg.Array(Column(changes, static start => start.Label), NpgsqlDbType.Text),
                    Arg.Array(Column(changes, static start => start.Task?.Id), NpgsqlDbType.Uuid),
                    Arg.Array(Column(changes, static start => Arg.Instant(start.Task?.DueAt)), NpgsqlDbType.TimestampTz),
                    Arg.Array(Column(changes, static start => start.Verdict.Reason), NpgsqlDbType.Text),
                    Arg.Array(Column(changes, static start => start.Verdict.Next is not null), NpgsqlDbType.Boolean),
                    Arg.Array(Column(changes, static start => Arg.Instant(start.Verdict.Next?.Due)), NpgsqlDbType.TimestampTz),
                    Arg.Array(Column(changes, static start => start.QueueNumber), NpgsqlDbType.Integer),
                    Arg.Array(Column(changes, static start => start.KindNumber), NpgsqlDbType.Smallint),
                    Arg.Array(Column(changes, static start => start.Verdict.IsCatchUp), NpgsqlDbType.Boolean)),
            ],
            static async (reader, token) =>
            {
                var entries = new HashSet<long>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    entries.Add(reader.GetInt64(0));
                }

                return entries;
            },
            commits,
            cancellationToken).ConfigureAwait(false);
        Array.ForEach(changes, start => start.IsRefused = refused.Contains(start.Request.EntryId));
    }

    // The rows of the jobs are locked, so a resume comes before this transaction, or finds the entries that it has put back.
    private async ValueTask PutBackAsync(NpgsqlConnection connection, PendingStart[] changes, CancellationToken cancellationToken)
    {
        foreach (var ofNode in changes.Where(static start => start.Verdict.WaitsForResume).GroupBy(static start => start.Request.NodeId))
        {
            PendingStart[] starts = [.. ofNode];
            var entries = Arg.Array(Column(starts, static start => start.Request.EntryId), NpgsqlDbType.Bigint);
            RunOutcome[] outcomes = Array.ConvertAll(starts, static start => new RunOutcome
            {
                EntryId = start.Request.EntryId,
                Fence = start.Request.Fence,
                Kind = OutcomeKind.Snoozed,
                Reason = EndReasons.JobNotActive,
                Delay = start.Verdict.WaitFor ?? TimeSpan.Zero,
            });
            await database.ReadLastAsync(
                connection,
                [
                    new Statement(OutcomeSql.LockEntries, entries),
                    new Statement(OutcomeSql.PutBack, OutcomeBatch.ToArgs(ofNode.Key, outcomes, check: true)),
                    new Statement(
                        PausedRunSql.Add, Arg.Array(Column(starts, static start => start.Request.JobId), NpgsqlDbType.Uuid), entries),
                ],
                static (_, _) => ValueTask.FromResult(true),
                commits: false,
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask AddEventsAsync(NpgsqlConnection connection, PendingStart[] changes, CancellationToken cancellationToken)
    {
        foreach (var start in changes)
        {
            if (start is { IsRefused: false, Verdict.Next: { Dropped: > 0 and var dropped } })
            {
                await database.AddEventAsync(connection, JobEvents.Dropped(start.Job!.Name, dropped), cancellationToken)
                    .ConfigureAwait(false);
            }
        }
    }

    private static PendingStart ReadStart(NpgsqlDataReader reader, TaskStartRequest request)
    {
        const int taskColumn = 20;
        const int jobColumn = 35;
        var job = reader.IsDBNull(jobColumn) ? null : PostgreSqlJobStore.ReadJob(reader, jobColumn);
        var bound = reader.IsDBNull(taskColumn) ? null : PostgreSqlJobStore.ReadTask(reader, taskColumn);
        var isPlanned = reader.GetBoolean(9);
        var isPutBack = reader.GetBoolean(18);
        return new PendingStart(request, job, bound)
        {
            Label = reader.StringOrNull(2),
            QueuedTasks = (int)reader.GetInt64(14),
            QueueNumber = reader.IsDBNull(12) ? null : reader.GetInt32(12),
            KindNumber = reader.Int16OrNull(13),
            Facts = new TaskStartFacts
            {
                Now = reader.GetFieldValue<DateTimeOffset>(1),
                HoldsClaim = !reader.IsDBNull(2),
                EndedAs = reader.IsDBNull(3) ? null : (OutcomeKind)reader.GetInt16(3),
                EndReason = reader.StringOrNull(4),
                Bound = bound?.State,
                IsQueued = bound is { StartedAt: null },
                QueuedDueAt = TaskStartFacts.QueuedDueAtOf(bound, isPutBack),
                CatchUpFrom = TaskStartFacts.CatchUpFromOf(bound, isPutBack),
                NamesTask = request.TaskId is not null,
                Named = reader.IsDBNull(5) ? null : (TaskState)reader.GetInt16(5),
                Job = job is null
                    ? null
                    : new JobStartFacts
                    {
                        Timing = new JobTiming
                        {
                            Name = job.Name,
                            State = job.State,
                            Schedule = job.Schedule,
                            StartAt = reader.TimeOrNull(6),
                            EndAt = job.EndAt,
                            Except = job.Except,
                            NextRunAt = reader.TimeOrNull(7),
                            IsPlanned = isPlanned,
                        },
                        Missed = new MissedRunRules(job.MissedRuns, job.CatchUpWithin, job.CatchUpLimit, job.ExpiresAfter, job.UpdatedAt)
                        {
                            PausedFrom = reader.TimeOrNull(jobColumn + 25),
                            PausedUntil = reader.TimeOrNull(jobColumn + 26),
                        },
                        Overlap = request.Overlap ?? job.Overlap,
                        PausedUntil = job.Pause?.Until,
                        DueAt = request.DueAt,
                        WasPlanned = request.WasPlanned,
                        BackfilledUpTo = reader.TimeOrNull(16),
                        UnfinishedSince = reader.TimeOrNull(17),
                        HasKindOfEntry = string.Equals(reader.GetString(8), request.EntryKind, StringComparison.Ordinal),
                        IsPlanned = isPlanned,
                        HasTaskForDueTime = reader.GetBoolean(10),
                        HasUnfinishedTask = reader.GetBoolean(11),
                        HasUnfinishedTaskSinceDue = reader.GetBoolean(19),
                        HasEarlierTask = reader.GetBoolean(15),
                    },
            },
        };
    }

    private static TValue[] Column<TRow, TValue>(IReadOnlyList<TRow> rows, Func<TRow, TValue> value)
    {
        var column = new TValue[rows.Count];
        for (var i = 0; i < column.Length; i++)
        {
            column[i] = value(rows[i]);
        }

        return column;
    }

    /// <summary>What the earlier starts of a batch have changed about a job.</summary>
    /// <param name="HasStarted">Whether a task of it has started.</param>
    /// <param name="HasTask">Whether a task of it was created, or has started.</param>
    /// <param name="HasNewTask">Whether a task of it was created.</param>
    /// <param name="Queued">How many more of its tasks wait for their first start.</param>
    /// <param name="Timing">Its plan; <see langword="null"/> if it is as it was.</param>
    private readonly record struct BatchChange(bool HasStarted, bool HasTask, bool HasNewTask, int Queued, JobTiming? Timing)
    {
        public BatchChange With(PendingStart start)
        {
            var (verdict, facts) = (start.Verdict, start.Facts);
            var hasStarted = verdict.Decision is TaskStartDecision.Started or TaskStartDecision.Recovered;
            var isNewInQueue = verdict.IsQueued && facts.Bound is null;
            var hasLeftTheQueue = hasStarted && facts.IsQueued;
            return new BatchChange(
                HasStarted || hasStarted,
                HasTask || hasStarted || isNewInQueue,
                HasNewTask || verdict.Decision == TaskStartDecision.Started || isNewInQueue,
                Queued + (isNewInQueue ? 1 : 0) - (hasLeftTheQueue ? 1 : 0),
                verdict.Next is { } next
                    ? facts.Job!.Timing with { State = next.StateOf(facts.Job.Timing.State), NextRunAt = next.Due }
                    : Timing);
        }
    }
}
