using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Opens a node's session.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public INodeSession OpenNodeSession() => new PostgreSqlNodeSession(_database);
}
