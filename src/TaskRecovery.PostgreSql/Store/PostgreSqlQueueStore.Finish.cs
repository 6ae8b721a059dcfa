using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <content>How runs end.</content>
internal sealed partial class PostgreSqlQueueStore
{
    public ValueTask<IReadOnlyList<RunOutcome>> FinishAsync(Guid nodeId, IReadOnlyList<RunOutcome> outcomes, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask FinishInTransactionAsync(Guid nodeId, RunOutcome outcome, System.Data.Common.DbTransaction transaction, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask RemoveSettledClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken) => throw new NotSupportedException();
}
