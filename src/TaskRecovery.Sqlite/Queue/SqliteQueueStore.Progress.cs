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

    public ValueTask<bool[]> SaveProgressAsync(Guid nodeId, IReadOnlyList<ProgressWrite> writes, CancellationToken cancellationToken)
        => _database.WriteAsync(session => Save(session, nodeId, writes), cancellationToken);

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, long ordinal, CancellationToken cancellationToken)
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

    private bool[] Save(SqliteSession session, Guid nodeId, IReadOnlyList<ProgressWrite> writes)
    {
        var claims = new HeldClaims(session, _database.Claims, nodeId);
        var now = _database.Now();
        var held = new bool[writes.Count];
        for (var i = 0; i < held.Length; i++)
        {
            var (key, fence, step, data) = writes[i];
            held[i] = claims.Runs(key.EntryId, fence);
            if (!held[i])
            {
                continue;
            }

            var statement = session.Get(step is null ? ProgressSql.SaveCheckpoint : ProgressSql.SaveStep)
                .Bind(1, key.EntryId).Bind(2, key.TaskId).Bind(3, fence).Bind(4, now);
            _ = step is null ? statement.BindText(5, OrNull(data.Span)) : statement.Bind(5, step).BindText(6, OrNull(data.Span));
            statement.Execute();
        }

        return held;
    }
}
