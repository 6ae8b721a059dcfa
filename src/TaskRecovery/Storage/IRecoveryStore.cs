using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The part of a queue store for recovery, retention and the invariant.</summary>
[Experimental("TASKRECOVERY001")]
public interface IRecoveryStore : IStorePart
{
    /// <summary>Lists the fences of the claims stored for a node, oldest first.</summary>
    ValueTask<IReadOnlyList<long>> ListClaimsAsync(Guid nodeId, CancellationToken cancellationToken);

    /// <summary>Releases every entry without an outcome from claims whose answers were lost, without counting a crash or an attempt, and
    /// removes the claims. Claims of other nodes are not changed. An entry with a cancel request ends.</summary>
    /// <returns>The number of entries that were put back.</returns>
    ValueTask<int> ReleaseClaimsAsync(Guid nodeId, IReadOnlyList<long> fences, CancellationToken cancellationToken);

    /// <summary>Recovers the claims of every dead node: entries without an outcome are put back at the front of the queue, or end with the
    /// reason <c>crash_loop</c>. Concurrent sweeps are safe and recover each entry once.</summary>
    /// <param name="maxCrashes">An entry with more crashes ends.</param>
    /// <param name="audit">The operator who requested the sweep: each transaction that recovers something also stores the event
    /// <see cref="QueueEventKind.WorkRecovered"/>. <see langword="null"/> if a node sweeps by itself.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    /// <returns>What was recovered. A node that can't be swept does not keep the others from being swept; its error is in
    /// <see cref="RecoveryReport.Failure"/>.</returns>
    ValueTask<RecoveryReport> SweepAsync(int maxCrashes, AuditInfo? audit, CancellationToken cancellationToken);

    /// <summary>Removes a bounded number of entries that are no longer kept.</summary>
    /// <returns><see langword="true"/> if there is more to remove now.</returns>
    ValueTask<bool> PurgeAsync(RetentionOptions retention, CancellationToken cancellationToken);

    /// <summary>Checks the invariant that every entry is in exactly one place: waiting, running or ended.</summary>
    /// <returns>One line per violation; empty if the invariant holds.</returns>
    ValueTask<IReadOnlyList<string>> CheckInvariantsAsync(CancellationToken cancellationToken);
}
