using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>What dead nodes and lost answers leave behind.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<int> GiveBackClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, int maxCrashes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<RecoveryReport> SweepAsync(int maxCrashes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask<IReadOnlyList<string>> CheckLawAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
}
