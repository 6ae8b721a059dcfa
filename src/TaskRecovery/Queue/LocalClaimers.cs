using System.Collections.Concurrent;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>The claimers of this process. They are woken directly when this process stores entries, or store and claim the entries in one
/// transaction, before other nodes can see them.</summary>
internal sealed class LocalClaimers(IEntryStore store) : IClaimWaker
{
    private readonly ConcurrentDictionary<string, ILocalClaimer> _claimers = new(StringComparer.Ordinal);
    private volatile Action? _onControl;

    /// <inheritdoc cref="StoreTraits.TakesBackQueuedWrites"/>
    public bool TakesBackQueuedWrites => store.Traits.TakesBackQueuedWrites;

    /// <summary>Registers the claimer of a queue.</summary>
    public void Register(string queue, ILocalClaimer claimer) => _claimers[queue] = claimer;

    /// <summary>Registers the action that checks for cancel requests and paused queues.</summary>
    public void RegisterControl(Action onControl) => _onControl = onControl;

    /// <summary>Stores entries atomically. If this process would claim them at once, they are stored as claimed; otherwise any node may
    /// claim them, and this process's claimers are woken.</summary>
    public async ValueTask<EnqueueResult[]> EnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken)
    {
        if (_claimers.TryGetValue(entries[0].Queue, out var claimer) && await claimer.TryEnqueueAsync(entries, cancellationToken).ConfigureAwait(false) is { } started)
        {
            return started;
        }

        var results = await store.EnqueueAsync(entries, transaction: null, cancellationToken).ConfigureAwait(false);

        // Wake the claimers before completing the callers, because a claim takes a round trip.
        Wake(entries);
        return results;
    }

    /// <summary>Wakes the claimer of a queue in which entries may have become available.</summary>
    public void Wake(string queue)
    {
        if (_claimers.TryGetValue(queue, out var claimer))
        {
            claimer.Wake(fromFront: false);
        }
    }

    /// <inheritdoc/>
    public void WakeAll()
    {
        foreach (var claimer in _claimers.Values)
        {
            claimer.Wake(fromFront: true);
        }
    }

    /// <summary>Called after a cancellation was requested, or a queue was paused or resumed.</summary>
    public void Control() => _onControl?.Invoke();

    // Usually, consecutive entries have the same queue, so wake each run of equal queues once.
    private void Wake(NewEntry[] entries)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            if (i == 0 || !string.Equals(entries[i].Queue, entries[i - 1].Queue, StringComparison.Ordinal))
            {
                Wake(entries[i].Queue);
            }
        }
    }
}

/// <summary>The claimer of one queue in this process.</summary>
internal interface ILocalClaimer
{
    /// <summary>Notifies the claimer that there may be new entries.</summary>
    /// <param name="fromFront">Whether the new entries may precede the position of the last claim.</param>
    void Wake(bool fromFront);

    /// <summary>Stores and claims entries in one transaction, if they would start here at once.</summary>
    /// <returns><see langword="null"/> if they would not start at once; nothing was stored.</returns>
    ValueTask<EnqueueResult[]?> TryEnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken);
}
