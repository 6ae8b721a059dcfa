using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>A node's session.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public INodeSession OpenNodeSession() => new PostgreSqlNodeSession(_database);
}
