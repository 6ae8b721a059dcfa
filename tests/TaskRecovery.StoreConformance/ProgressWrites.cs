using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>Stores single steps and checkpoints.</summary>
public static class ProgressWrites
{
    public static async ValueTask<bool> SaveStepAsync(
        this IEntryStore store, Guid nodeId, ProgressKey key, long fence,
        string name, ReadOnlyMemory<byte> result, CancellationToken cancellationToken)
        => (await store.SaveProgressAsync(nodeId, [new ProgressWrite(key, fence, name, result)], cancellationToken))[0];

    public static async ValueTask<bool> SaveCheckpointAsync(
        this IEntryStore store, Guid nodeId, ProgressKey key, long fence,
        ReadOnlyMemory<byte> checkpoint, CancellationToken cancellationToken)
        => (await store.SaveProgressAsync(nodeId, [new ProgressWrite(key, fence, Step: null, checkpoint)], cancellationToken))[0];
}
