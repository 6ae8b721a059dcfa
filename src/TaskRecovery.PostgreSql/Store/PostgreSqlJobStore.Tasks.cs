using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Starts, lists and recovers tasks.</content>
internal sealed partial class PostgreSqlJobStore
{
    private const int RecoverBatch = 500;

    public async Task<TaskStart> StartTaskAsync(TaskStartRequest request, CancellationToken cancellationToken)
    {
        var start = await StartAsync(TaskSql.Start, request, cancellationToken).ConfigureAwait(false);
        return start.Decision is TaskStartDecision.Skip or TaskStartDecision.ClaimLost && request.TaskId is null
            ? await StartAsync(TaskSql.StartOrSkip, request, cancellationToken).ConfigureAwait(false)
            : start;
    }

    public async Task<TaskRecord?> FindTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => (await ReadTasksAsync(TaskSql.Find, [Arg.Uuid(taskId)], cancellationToken).ConfigureAwait(false)).FirstOrDefault();

    public async Task<IReadOnlyList<TaskRecord>> ListTasksAsync(Guid? jobId, TaskState? state, int limit, CancellationToken cancellationToken)
        => jobId is { } job && state is { } unfinished and (TaskState.Created or TaskState.Running)
            ? await ReadTasksAsync(TaskSql.ListUnfinished, [Arg.Uuid(job), Arg.Int2((int)unfinished), Arg.Int8(limit)], cancellationToken).ConfigureAwait(false)
            : await ReadTasksAsync(TaskSql.List, [Arg.Uuid(jobId), Arg.Int2((int?)state), Arg.Int8(limit)], cancellationToken).ConfigureAwait(false);

    public async Task<IReadOnlyList<TaskRecord>> ListIncompleteTasksAsync(Guid jobId, CancellationToken cancellationToken)
        => await ReadTasksAsync(TaskSql.ListIncomplete, [Arg.Uuid(jobId)], cancellationToken).ConfigureAwait(false);

    public async Task<RecoveryReport> RecoverTasksAsync(TimeSpan maxAge, int maxCrashes, CancellationToken cancellationToken)
    {
        await NameJobsAsync(cancellationToken).ConfigureAwait(false);
        var items = new List<RecoveryItem>();
        var lines = new HashSet<string>(StringComparer.Ordinal);
        List<(RecoveryItem Item, string? Queue)> batch;
        do
        {
            batch = await ReadItemsAsync(
                TaskSql.Recover, [Arg.Int8(maxAge.Ticks / TimeSpan.TicksPerMicrosecond), Arg.Int4(maxCrashes), Arg.Int4(RecoverBatch)], 6, cancellationToken).ConfigureAwait(false);
            items.AddRange(batch.Select(static row => row.Item));
            lines.UnionWith(batch.Where(static row => row.Item.Action == RecoveryAction.Recovered).Select(static row => row.Queue!));
        }
        while (batch.Count > 0);

        do
        {
            batch = await ReadItemsAsync(TaskSql.CloseEnded, [Arg.Int4(RecoverBatch)], null, cancellationToken).ConfigureAwait(false);
            items.AddRange(batch.Select(static row => row.Item));
        }
        while (batch.Count > 0);

        lines.ToList().ForEach(queue.Hints.Work);
        return new RecoveryReport(items);
    }

    private ValueTask<TaskStart> StartAsync(string statement, TaskStartRequest request, CancellationToken cancellationToken)
        => database.ReadLastAsync(
            [
                new Statement(JobSql.Lock, Arg.Uuid(request.JobId)),
                new Statement(
                    statement,
                    Arg.Uuid(request.NodeId),
                    Arg.Int8(request.EntryId),
                    Arg.Int8(request.Fence),
                    Arg.Uuid(request.JobId),
                    Arg.Uuid(request.TaskId),
                    Arg.Int2(request.Attempt),
                    Arg.Uuid(Guid.CreateVersion7()),
                    Arg.Text(request.EntryKind)),
            ],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return ReadStart(reader);
            },
            cancellationToken);

    // The task was closed if its row has a reason, or if its entry had ended (the statement for those returns no queue).
    private ValueTask<List<(RecoveryItem Item, string? Queue)>> ReadItemsAsync(string statement, NpgsqlParameter[] args, int? queueColumn, CancellationToken cancellationToken)
        => database.ReadAsync(
            statement,
            args,
            async (reader, token) =>
            {
                var items = new List<(RecoveryItem, string?)>();
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var line = queueColumn is { } column ? reader.StringOrNull(column) : null;
                    var reason = reader.StringOrNull(5);
                    items.Add((
                        new RecoveryItem
                        {
                            Action = reason is null && queueColumn is not null ? RecoveryAction.Recovered : RecoveryAction.Closed,
                            TaskId = reader.GetGuid(0),
                            EntryId = reader.IsDBNull(1) ? null : reader.GetInt64(1),
                            Kind = reader.StringOrNull(2),
                            Node = reader.StringOrNull(3),
                            Crashes = reader.GetInt16(4),
                            Reason = reason,
                        },
                        line));
                }

                return items;
            },
            cancellationToken);

    private ValueTask<List<TaskRecord>> ReadTasksAsync(string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
        => database.ReadLastAsync(
            [new Statement(OperatorSql.UseCustomPlan), new Statement(statement, args)],
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

    private static TaskStart ReadStart(NpgsqlDataReader reader)
    {
        var verdict = reader.GetString(0);
        var task = reader.IsDBNull(2) ? null : ReadTask(reader, 2);
        var job = reader.IsDBNull(16) ? null : ReadJob(reader, 16) with { NextRunAt = reader.TimeOrNull(1) };
        return verdict switch
        {
            "started" => new TaskStart(TaskStartDecision.Started, task, job, null),
            "wait" => new TaskStart(TaskStartDecision.Wait, null, job, null),
            "claim_lost" => new TaskStart(TaskStartDecision.ClaimLost, null, job, null),
            "superseded" => new TaskStart(TaskStartDecision.Superseded, null, job, EndReasons.Superseded),
            "kind_changed" => new TaskStart(TaskStartDecision.Skip, null, job, EndReasons.Superseded),

            // The task was unbound from the entry between the verdict and the update of its row.
            "recovered" when task is null => new TaskStart(TaskStartDecision.Superseded, null, job, EndReasons.Superseded),
            "recovered" => new TaskStart(TaskStartDecision.Recovered, task, job, null),
            _ => new TaskStart(TaskStartDecision.Skip, null, job, verdict),
        };
    }

    private static TaskRecord ReadTask(NpgsqlDataReader reader, int first) => new()
    {
        Id = reader.GetGuid(first),
        JobId = reader.GetGuid(first + 1),
        EntryId = reader.IsDBNull(first + 2) ? null : reader.GetInt64(first + 2),
        State = (TaskState)reader.GetInt16(first + 3),
        DueAt = reader.TimeOrNull(first + 4),
        Attempt = reader.GetInt16(first + 5),
        Crashes = reader.GetInt16(first + 6),
        Result = reader.StringOrNull(first + 7),
        Error = reader.StringOrNull(first + 8),
        Reason = reader.StringOrNull(first + 9),
        Node = reader.StringOrNull(first + 10),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(first + 11),
        StartedAt = reader.TimeOrNull(first + 12),
        EndedAt = reader.TimeOrNull(first + 13),
    };
}
