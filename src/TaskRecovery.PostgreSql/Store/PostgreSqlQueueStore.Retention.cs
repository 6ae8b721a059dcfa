using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>What is removed, and how much waits.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<QueueDepth>> MeasureAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
