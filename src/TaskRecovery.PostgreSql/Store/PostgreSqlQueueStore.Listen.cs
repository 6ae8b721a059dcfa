using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Hints.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken) => throw new NotSupportedException();
}
