using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Recovery;

/// <summary>Removes what is no longer kept, a bounded part at a time.</summary>
internal sealed class RetentionLoop(
    IQueueStore store, StartupGate gate, INodeRole role, IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<RetentionLoop> logger)
    : StoreLoop("The removal of what is no longer kept", gate, role, time, logger)
{
    /// <inheritdoc/>
    protected override TimeSpan Interval => options.Value.Retention.Interval;

    /// <summary>Removes one part. Tests call this; the timer is not part of the behaviour.</summary>
    /// <returns>Whether more is left to remove now.</returns>
    internal async Task<bool> PurgeOnceAsync(CancellationToken cancellationToken)
        => await store.PurgeAsync(options.Value.Retention, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override Task<bool> OnceAsync(CancellationToken cancellationToken) => PurgeOnceAsync(cancellationToken);
}
