using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Stores steps and checkpoints.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken)
        => _database.ReadAsync(
            key.TaskId is null ? StepSql.LoadOfEntry : StepSql.LoadOfTask,
            [key.TaskId is { } task ? Arg.Uuid(task) : Arg.Int8(key.EntryId)],
            static async (reader, token) =>
            {
                var steps = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
                ReadOnlyMemory<byte>? checkpoint = null;
                while (await reader.ReadAsync(token).ConfigureAwait(false))
                {
                    var json = Encoding.UTF8.GetBytes(reader.GetString(1));
                    if (reader.IsDBNull(0))
                    {
                        checkpoint = json;
                    }
                    else
                    {
                        steps[reader.GetString(0)] = json;
                    }
                }

                return new StoredProgress(steps, checkpoint);
            },
            cancellationToken);

    public ValueTask<bool> SaveStepAsync(Guid nodeId, ProgressKey key, long fence, string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken)
        => _database.ReadAsync(
            StepSql.SaveStep,
            [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Uuid(key.TaskId), Arg.Text(name), Arg.Utf8(result)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false),
            cancellationToken);

    public ValueTask<bool> ResetProgressAsync(Guid nodeId, ProgressKey key, long fence, CancellationToken cancellationToken)
        => _database.ReadAsync(
            key.TaskId is null ? StepSql.ResetOfEntry : StepSql.ResetOfTask,
            key.TaskId is { } task
                ? [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Uuid(task)]
                : [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false),
            cancellationToken);

    public ValueTask<bool> SaveCheckpointAsync(Guid nodeId, ProgressKey key, long fence, ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken)
        => _database.ReadAsync(
            key.TaskId is null ? StepSql.SaveCheckpointOfEntry : StepSql.SaveCheckpointOfTask,
            key.TaskId is { } task
                ? [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Utf8(checkpoint), Arg.Uuid(task)]
                : [Arg.Uuid(nodeId), Arg.Int8(key.EntryId), Arg.Int8(fence), Arg.Utf8(checkpoint)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false),
            cancellationToken);
}
