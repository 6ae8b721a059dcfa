using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <content>Tasks: their records and their recovery.</content>
internal sealed partial class SqliteJobStore
{
    private const int RecoverBatch = 500;

    public async Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => await database.ReadAsync(
            session => ReadTasks(session.Get(TaskSql.Find).Bind(1, taskId)).FirstOrDefault(), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListTasksAsync(
        Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => await database.ReadAsync(session => ReadTasks(
            session.Get(TaskSql.List).Bind(1, jobId).Bind(2, (long?)state).Bind(3, limit)), cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => await database.ReadAsync(
            session => ReadTasks(session.Get(TaskSql.ListIncomplete).Bind(1, jobId)), cancellationToken).ConfigureAwait(false);

    public async Task<RecoveryReport> RecoverTasksAsync(
        TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        var items = new List<RecoveryItem>();
        var queues = new HashSet<string>(StringComparer.Ordinal);

        // Search with a reader, which does not block other writes: usually there is nothing to recover.
        for (var more = await IsAnyAsync(TaskSql.Orphans, cancellationToken).ConfigureAwait(false); more;)
        {
            (var batch, more) = await database.WriteAsync(
                session =>
                {
                    var moves = NewMoves(session);
                    var recovered = RecoverOrphans(moves, maxAge, maxCrashes);
                    RecordRecovered(session, moves.Now, recovered.Items.Count, audit);
                    return recovered;
                },
                cancellationToken).ConfigureAwait(false);
            items.AddRange(batch.Select(static row => row.Item));
            queues.UnionWith(batch.Select(static row => row.Queue).OfType<string>());
        }

        for (var more = await IsAnyAsync(TaskSql.WithEndedEntry, cancellationToken).ConfigureAwait(false); more;)
        {
            (var batch, more) = await database.WriteAsync(
                session =>
                {
                    var now = database.Now();
                    var closed = CloseEnded(session, now);
                    RecordRecovered(session, now, closed.Items.Count, audit);
                    return closed;
                },
                cancellationToken).ConfigureAwait(false);
            items.AddRange(batch);
        }

        SendHints(queues);

        return items.Count == 0 ? RecoveryReport.Empty : new RecoveryReport(items);
    }

    private static void RecordRecovered(SqliteSession session, long now, int tasks, AuditInfo? audit)
    {
        if (audit is not null && tasks > 0)
        {
            EventWriter.Add(session, now, new NewEvent(QueueEventKind.WorkRecovered, audit) { Entries = tasks });
        }
    }

    private ValueTask<bool> IsAnyAsync(string statement, CancellationToken cancellationToken)
        => database.ReadAsync(session => session.Get(statement).Exists(), cancellationToken);

    // Returns whether there may be more.
    private static (List<(RecoveryItem Item, string? Queue)> Items, bool More) RecoverOrphans(
        EntryMoves moves, TimeSpan maxAge, int maxCrashes)
    {
        var items = new List<(RecoveryItem, string?)>();
        var tasks = ReadTasks(moves.Session.Get(TaskSql.Orphans));

        // The search does not count: a slow one would leave no time for more than one task, in this part and in all others.
        var budget = new LockBudget();
        foreach (var task in tasks)
        {
            if (items.Count > 0 && !budget.IsLeft)
            {
                return (items, true);
            }

            var job = JobRow.ReadOne(moves.Session.Get(JobSql.Find).Bind(1, task.JobId));
            var reason = job is null ? EndReasons.JobDeleted
                : Micros.From(task.CreatedAt) < moves.Now - Micros.From(maxAge) ? EndReasons.TooOld
                : job.State == JobState.Paused ? EndReasons.JobNotActive
                : task.Crashes > maxCrashes ? EndReasons.CrashLoop
                : null;
            var item = new RecoveryItem
            {
                Action = RecoveryAction.Recovered,
                TaskId = task.Id,
                Kind = job?.EntryKind,
                Node = task.Node,
                Crashes = task.Crashes,
            };
            if (reason is null)
            {
                items.Add((item with { EntryId = GiveEntry(moves, job!, task, maxCrashes) }, job!.Queue));
                continue;
            }

            moves.Session.Get(TaskSql.End)
                .Bind(1, task.Id).Bind(2, (int)(reason == EndReasons.CrashLoop ? TaskState.Failed : TaskState.Cancelled))
                .Bind(3, task.Attempt).Bind(4, task.Crashes)
                .BindNull(5).BindNull(6).Bind(7, reason).Bind(8, moves.Now).Execute();
            items.Add((item with { Action = RecoveryAction.Closed, Reason = reason }, null));
        }

        return (items, items.Count == RecoverBatch);
    }

    // The new entry keeps the task's crashes and attempts and goes to the front of the queue. Steps and checkpoint belong to the task.
    private static long GiveEntry(EntryMoves moves, JobRow job, TaskRecord task, int maxCrashes)
    {
        var entry = AddEntry(moves, job, null, JobEntryArgs.Write(job.Id, task.Id));
        var attempt = task.State == TaskState.Running ? Math.Max(task.Attempt - 1, 0) : task.Attempt;
        var level = CrashLevels.OfRecoveredTask(task.Crashes, maxCrashes) ?? job.Priority;
        moves.Session.Get(WaitingSql.SetCounts).Bind(1, entry).Bind(2, level).Bind(3, attempt).Bind(4, task.Crashes).Execute();
        moves.Session.Get(TaskSql.Rebind).Bind(1, task.Id).Bind(2, entry).Bind(3, attempt).Execute();
        return entry;
    }

    // Returns whether there may be more.
    private static (List<RecoveryItem> Items, bool More) CloseEnded(SqliteSession session, long now)
    {
        var items = new List<RecoveryItem>();
        var statement = session.Get(TaskSql.WithEndedEntry);
        var ends = new List<Action>();

        // The first step finds and sorts all rows. If it counted, a slow one would leave no time for them, in this part and in all others.
        var hasRow = statement.Step();
        var budget = new LockBudget();
        for (; hasRow && budget.IsLeft; hasRow = statement.Step())
        {
            var (task, state, attempt, crashes) =
                (statement.Guid(0), TaskMoves.StateOf((OutcomeKind)statement.Int32(4)), statement.Int32(5), statement.Int32(6));
            var (result, error, reason) = (statement.NullableText(7), statement.NullableText(8), statement.NullableText(9));
            items.Add(new RecoveryItem
            {
                Action = RecoveryAction.Closed,
                TaskId = task,
                EntryId = statement.Int64(1),
                Kind = statement.Text(2),
                Node = statement.NullableText(3),
                Crashes = crashes,
                Reason = reason,
            });
            budget.Spend((result?.Length ?? 0) + (error?.Length ?? 0));
            ends.Add(() => session.Get(TaskSql.End)
                .Bind(1, task).Bind(2, (int)state).Bind(3, attempt).Bind(4, crashes)
                .Bind(5, result).Bind(6, error).Bind(7, reason).Bind(8, now).Execute());
        }

        // The budget may have stopped the statement before its end.
        statement.Reset();
        ends.ForEach(static end => end());
        return (items, hasRow || items.Count == RecoverBatch);
    }

    /// <summary>Reads all tasks that a statement returns.</summary>
    internal static List<TaskRecord> ReadTasks(SqliteStatement statement)
    {
        var tasks = new List<TaskRecord>();
        while (statement.Step())
        {
            tasks.Add(ReadTask(statement));
        }

        return tasks;
    }

    /// <summary>Reads the task of the current row.</summary>
    internal static TaskRecord ReadTask(SqliteStatement statement) => new()
    {
        Id = statement.Guid(0),
        JobId = statement.Guid(1),
        EntryId = statement.NullableInt64(2),
        State = (TaskState)statement.Int32(3),
        DueAt = Micros.ToTime(statement.NullableInt64(4)),
        Attempt = statement.Int32(5),
        Crashes = statement.Int32(6),
        Result = statement.NullableText(7),
        Error = statement.NullableText(8),
        Reason = statement.NullableText(9),
        Node = statement.NullableText(10),
        CreatedAt = Micros.ToTime(statement.Int64(11)),
        StartedAt = Micros.ToTime(statement.NullableInt64(12)),
        EndedAt = Micros.ToTime(statement.NullableInt64(13)),
        IsCatchUp = statement.Boolean(14),
    };
}
