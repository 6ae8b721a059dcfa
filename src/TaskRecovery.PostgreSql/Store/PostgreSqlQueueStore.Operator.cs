using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>What an operator asks and does.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<QueueEntry?> FindAsync(long entryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<EntryPage> ListAsync(EntryFilter filter, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<QueueCounts> CountAsync(string? queue, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> CancelAsync(long entryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<bool> RetryAsync(long entryId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask SetPausedAsync(string queue, bool paused, CancellationToken cancellationToken) => throw new NotSupportedException();
}
