using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Steps and checkpoints.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<StoredProgress> LoadProgressAsync(ProgressKey key, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> SaveStepAsync(Guid nodeId, ProgressKey key, long fence, string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> SaveCheckpointAsync(Guid nodeId, ProgressKey key, long fence, ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken) => throw new NotSupportedException();
}
