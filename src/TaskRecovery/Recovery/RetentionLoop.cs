using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Deletes data whose retention has expired, a limited number of rows at a time.</summary>
internal sealed class RetentionLoop(IRecoveryStore store, StoreLoopServices services, IOptions<TaskRecoveryOptions> options)
    : StoreLoop("The removal of what is no longer kept", services)
{
    private volatile bool _hasRun;

    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Retention.Interval;

    /// <inheritdoc/>
    protected override bool ServesStore => true;

    /// <inheritdoc/>
    protected override TimeSpan FirstRound => TimeSpan.FromSeconds(5);

    /// <summary>Deletes one chunk. Tests call this; the timer is not part of the behavior.</summary>
    /// <returns>Whether more can be deleted now.</returns>
    internal async Task<bool> PurgeOnceAsync(CancellationToken cancellationToken)
        => await store.PurgeAsync(options.Value.Retention, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken)
    {
        _hasRun = true;
        return PurgeOnceAsync(cancellationToken);
    }

    /// <summary>If all processes live for seconds only, each deletes a chunk when it stops, because otherwise none would.</summary>
    protected override Task StopOnceAsync(CancellationToken cancellationToken)
        => _hasRun || !HasBegun ? Task.CompletedTask : PurgeOnceAsync(cancellationToken);
}
