using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>Claims.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds) => throw new NotSupportedException();

    public ValueTask<PollResult> PollAsync(PollRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
}
