using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

internal sealed partial class SqliteQueueStore
{
    public async ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
        => await _database.ReadAsync(
            session =>
            {
                var steps = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
                var statement = key.TaskId is { } task
                    ? session.Get(ProgressSql.StepsOfTask).Bind(1, task)
                    : session.Get(ProgressSql.StepsOfEntry).Bind(1, key.EntryId);
                while (statement.Step())
                {
                    steps[statement.Text(0)] = statement.Bytes(1).ToArray();
                }

                statement = key.TaskId is { } taskId
                    ? session.Get(ProgressSql.CheckpointOfTask).Bind(1, taskId)
                    : session.Get(ProgressSql.CheckpointOfEntry).Bind(1, key.EntryId);
                var checkpoint = statement.Step() ? new ReadOnlyMemory<byte>(statement.Bytes(0).ToArray()) : (ReadOnlyMemory<byte>?)null;
                statement.Reset();
                return new StoredProgress(steps, checkpoint);
            },
            cancellationToken).ConfigureAwait(false);

    public ValueTask<bool> SaveStepAsync(Guid nodeId, ProgressKey key, long fence, string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken)
        => SaveAsync(nodeId, key, fence, ProgressSql.SaveStep, statement => statement.Bind(5, name).BindText(6, OrNull(result.Span)), cancellationToken);

    public ValueTask<bool> SaveCheckpointAsync(Guid nodeId, ProgressKey key, long fence, ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken)
        => SaveAsync(nodeId, key, fence, ProgressSql.SaveCheckpoint, statement => statement.BindText(5, OrNull(checkpoint.Span)), cancellationToken);

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, CancellationToken cancellationToken)
        => _database.WriteAsync(
            session =>
            {
                if (!new HeldClaims(session, _database.Claims, nodeId).Runs(key.EntryId, fence))
                {
                    return false;
                }

                DropProgress(session, key);
                return true;
            },
            cancellationToken);

    private static void DropProgress(SqliteSession session, ProgressKey key)
    {
        if (key.TaskId is { } task)
        {
            session.Get(ProgressSql.DeleteTaskSteps).Bind(1, task).Execute();
            session.Get(ProgressSql.DeleteTaskCheckpoint).Bind(1, task).Execute();
            return;
        }

        session.Get(ProgressSql.DeleteSteps).Bind(1, key.EntryId).Execute();
        session.Get(ProgressSql.DeleteCheckpoint).Bind(1, key.EntryId).Execute();
    }

    private static ReadOnlySpan<byte> OrNull(ReadOnlySpan<byte> json) => json.IsEmpty ? "null"u8 : json;

    private ValueTask<bool> SaveAsync(Guid nodeId, ProgressKey key, long fence, string save, Action<SqliteStatement> bind, CancellationToken cancellationToken)
        => _database.WriteAsync(
            session =>
            {
                if (!new HeldClaims(session, _database.Claims, nodeId).Runs(key.EntryId, fence))
                {
                    return false;
                }

                var statement = session.Get(save).Bind(1, key.EntryId).Bind(2, key.TaskId).Bind(3, fence).Bind(4, _database.Now());
                bind(statement);
                statement.Execute();
                return true;
            },
            cancellationToken);
}
