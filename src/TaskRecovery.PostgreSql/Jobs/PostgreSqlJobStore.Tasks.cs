using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Starts, lists and recovers tasks.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int RecoverBatch = 500;

    public async Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        var start = await _starts.StartAsync(request, cancellationToken).ConfigureAwait(false);
        if (start is { Decision: TaskStartDecision.Wait, Task: not null }
            && (request.Overlap ?? start.Job?.Overlap) == OverlapPolicy.CancelPrevious)
        {
            await CancelOthersAsync(request, cancellationToken).ConfigureAwait(false);
        }

        return start;
    }

    // Running tasks get a request; a waiting one ends at once. If this process dies before, the next start of the waiting run does it.
    private async Task CancelOthersAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        var unfinished = await ListIncompleteTasksAsync(request.JobId, cancellationToken).ConfigureAwait(false);
        var entries = TaskStartRules.FindPrevious(unfinished, request.EntryId);
        if (entries.Count > 0)
        {
            await queue.CancelAsync([.. entries], EndReasons.Overlap, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => (await ReadTasksAsync(TaskSql.Find, [Arg.Uuid(taskId)], cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async Task<IReadOnlyList<TaskRecord>> ListTasksAsync(
        Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => jobId is { } job && state is { } unfinished and (TaskState.Created or TaskState.Running)
            ? await ReadTasksAsync(TaskSql.ListUnfinished, [Arg.Uuid(job), Arg.Int2((int)unfinished), Arg.Int8(limit)], cancellationToken)
                .ConfigureAwait(false)
            : await ReadTasksAsync(
                TaskSql.List, [Arg.Uuid(jobId), Arg.Int2((int?)state), Arg.Int8(limit)], cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => await ReadTasksAsync(TaskSql.ListIncomplete, [Arg.Uuid(jobId)], cancellationToken).ConfigureAwait(false);

    public async Task<RecoveryReport> RecoverTasksAsync(
        TimeSpan maxAge, int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken)
    {
        if (await HasTaskWithoutEntryAsync(cancellationToken).ConfigureAwait(false))
        {
            await NameJobsAsync(cancellationToken).ConfigureAwait(false);
        }

        var items = new List<RecoveryItem>();
        var lines = new HashSet<string>(StringComparer.Ordinal);
        List<(RecoveryItem Item, string? Queue)> batch;
        do
        {
            batch = await RecoverBatchAsync(
                TaskSql.Recover, [Arg.Micros(maxAge), Arg.Int4(maxCrashes), Arg.Int4(RecoverBatch)],
                6, audit, cancellationToken).ConfigureAwait(false);
            items.AddRange(batch.Select(static row => row.Item));
            lines.UnionWith(batch.Where(static row => row.Item.Action == RecoveryAction.Recovered).Select(static row => row.Queue!));
        }
        while (batch.Count > 0);

        do
        {
            batch = await RecoverBatchAsync(TaskSql.CloseEnded, [Arg.Int4(RecoverBatch)], null, audit, cancellationToken)
                .ConfigureAwait(false);
            items.AddRange(batch.Select(static row => row.Item));
        }
        while (batch.Count > 0);

        lines.ToList().ForEach(queue.Hints.Work);
        return new RecoveryReport(items);
    }

    private ValueTask<bool> HasTaskWithoutEntryAsync(CancellationToken cancellationToken)
        => database.ReadAsync(
            TaskSql.AnyWithoutEntry,
            [],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) && reader.GetBoolean(0),
            cancellationToken);

    // A batch that an operator requested is recorded in its transaction.
    private ValueTask<List<(RecoveryItem Item, string? Queue)>> RecoverBatchAsync(
        string statement, NpgsqlParameter[] args, int? queueColumn, AuditInfo? audit, CancellationToken cancellationToken)
        => audit is null
            ? database.ReadAsync(statement, args, (reader, token) => ReadItemsAsync(reader, queueColumn, token), cancellationToken)
            : database.InTransactionAsync(
                async (connection, token) =>
                {
                    var items = await database.ReadAsync(
                        connection, statement, args, (reader, stop) => ReadItemsAsync(reader, queueColumn, stop), token)
                        .ConfigureAwait(false);
                    if (items.Count > 0)
                    {
                        await database.AddEventAsync(
                            connection, new NewEvent(QueueEventKind.WorkRecovered, audit) { Entries = items.Count }, token)
                            .ConfigureAwait(false);
                    }

                    return items;
                },
                cancellationToken);

    // The task was closed if its row has a reason, or if its entry had ended (the statement for those returns no queue).
    private static async ValueTask<List<(RecoveryItem Item, string? Queue)>> ReadItemsAsync(
        NpgsqlDataReader reader, int? queueColumn, CancellationToken cancellationToken)
    {
        var items = new List<(RecoveryItem Item, string? Queue)>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var line = queueColumn is { } column ? reader.StringOrNull(column) : null;
            var reason = reader.StringOrNull(5);
            items.Add((
                new RecoveryItem
                {
                    Action = reason is null && queueColumn is not null ? RecoveryAction.Recovered : RecoveryAction.Closed,
                    TaskId = reader.GetGuid(0),
                    EntryId = reader.Int64OrNull(1),
                    Kind = reader.StringOrNull(2),
                    Node = reader.StringOrNull(3),
                    Crashes = reader.GetInt16(4),
                    Reason = reason,
                },
                line));
        }

        return items;
    }

    private ValueTask<List<TaskRecord>> ReadTasksAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => database.ReadLastAsync(
            [new Statement(StandbySql.Refuse), new Statement(OperatorSql.UseCustomPlan), new Statement(statement, args)],
            static async (reader, token) =>
            {
                var tasks = new List<TaskRecord>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    tasks.Add(ReadTask(reader, 0));
                }

                return tasks;
            },
            cancellationToken);

    internal static TaskRecord ReadTask(NpgsqlDataReader reader, int first) => new()
    {
        Id = reader.GetGuid(first),
        JobId = reader.GetGuid(first + 1),
        EntryId = reader.Int64OrNull(first + 2),
        State = (TaskState)reader.GetInt16(first + 3),
        DueAt = reader.TimeOrNull(first + 4),
        Attempt = reader.GetInt16(first + 5),
        Crashes = reader.GetInt16(first + 6),
        Result = reader.StringOrNull(first + 7),
        Error = reader.StringOrNull(first + 8),
        Reason = reader.StringOrNull(first + 9),
        Node = reader.StringOrNull(first + 10),
        CreatedAt = reader.Time(first + 11),
        StartedAt = reader.TimeOrNull(first + 12),
        EndedAt = reader.TimeOrNull(first + 13),
        IsCatchUp = !reader.IsDBNull(first + 14) && reader.GetBoolean(first + 14),
    };
}
