using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Storing entries.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<NewEntry> entries, System.Data.Common.DbTransaction? transaction, CancellationToken cancellationToken) => throw new NotSupportedException();
}
