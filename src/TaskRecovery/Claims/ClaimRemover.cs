using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Removes settled claims from the store, in the background and in batches, because no caller waits for it. The store checks each
/// claim itself. The claims of a dead node are left to the sweep.</summary>
internal sealed class ClaimRemover(IEntryStore store, ICurrentNode currentNode, StoreLoopServices services)
    : StoreLoop("The removal of settled claims", services)
{
    /// <inheritdoc/>
    protected override TimeSpan Interval
        => currentNode.Node?.Claims.Count == 0 ? store.Traits.WhileIdle(store.Traits.PollInterval) : store.Traits.PollInterval;

    /// <summary>Removes the claims that are settled by now. If that fails, the next call repeats it.</summary>
    internal Task RemoveOnceAsync(CancellationToken cancellationToken) => InTurnAsync(RemoveAsync, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        await RemoveOnceAsync(cancellationToken).ConfigureAwait(false);
        return false;
    }

    private async Task RemoveAsync(CancellationToken cancellationToken)
    {
        if (currentNode.Node is not { } node || node.Claims.TakeSettled() is not { Count: > 0 } settled)
        {
            return;
        }

        try
        {
            await store.RemoveSettledClaimsAsync(node.Id, settled, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            node.Claims.PutBack(settled);
            throw;
        }
    }
}
