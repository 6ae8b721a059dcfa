using System.Collections.Concurrent;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>This process's own claimers: they hear of new work without a way through the database, or have it before anybody else could.</summary>
internal sealed class LocalClaimers(IQueueStore store) : IClaimWaker
{
    private readonly ConcurrentDictionary<string, ILocalClaimer> _claimers = new(StringComparer.Ordinal);
    private volatile Action? _onControl;

    /// <inheritdoc cref="StoreTraits.TakesBackQueuedWrites"/>
    public bool TakesBackQueuedWrites => store.Traits.TakesBackQueuedWrites;

    /// <summary>Says who claims from a queue.</summary>
    public void Register(string queue, ILocalClaimer claimer) => _claimers[queue] = claimer;

    /// <summary>Says who looks for cancel requests and paused queues.</summary>
    public void RegisterControl(Action onControl) => _onControl = onControl;

    /// <summary>Stores entries, all or none: as claimed by this process where it would claim them at once anyway, else for whoever comes first. Its claimers are woken.</summary>
    public async ValueTask<EnqueueResult[]> EnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken)
    {
        if (_claimers.TryGetValue(entries[0].Queue, out var claimer) && await claimer.TryEnqueueAsync(entries, cancellationToken).ConfigureAwait(false) is { } started)
        {
            return started;
        }

        var results = await store.EnqueueAsync(entries, transaction: null, cancellationToken).ConfigureAwait(false);

        // Before the callers are told: the claimers have a round trip before them.
        Wake(entries);
        return results;
    }

    /// <summary>Something has changed in this queue.</summary>
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

    /// <summary>A cancel was requested, or a queue paused or resumed.</summary>
    public void Control() => _onControl?.Invoke();

    // Mostly many of one queue one after the other.
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

/// <summary>What claims from one queue in this process.</summary>
internal interface ILocalClaimer
{
    /// <summary>Work may have come.</summary>
    /// <param name="fromFront">It may be earlier in line than where the last claim stopped.</param>
    void Wake(bool fromFront);

    /// <summary>Stores entries and claims them in one transaction, if they would start here at once.</summary>
    /// <returns><see langword="null"/> if they would not; nothing was stored.</returns>
    ValueTask<EnqueueResult[]?> TryEnqueueAsync(NewEntry[] entries, CancellationToken cancellationToken);
}
