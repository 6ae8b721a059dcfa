using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Wakes the claimers and the poll of this process after a change that this process has stored, because the store sends it no hint
/// about that.</summary>
internal sealed class ClaimWaker(LocalClaimers claimers) : IClaimWaker
{
    private volatile Action? _pollNow;

    /// <summary>Registers the action that polls for cancel requests and paused queues.</summary>
    public void RegisterPoll(Action pollNow) => _pollNow = pollNow;

    /// <summary>Wakes the claimer of a queue in which entries may have become available.</summary>
    public void Wake(string queue)
    {
        if (claimers.TryFind(queue, out var claimer))
        {
            claimer.Wake(fromFront: false);
        }
    }

    /// <summary>Wakes the claimers of the queues in which these entries were stored.</summary>
    public void Wake(NewEntry[] entries)
    {
        // Usually, consecutive entries have the same queue, so wake each run of equal queues once.
        for (var i = 0; i < entries.Length; i++)
        {
            if (i == 0 || !string.Equals(entries[i].Queue, entries[i - 1].Queue, StringComparison.Ordinal))
            {
                Wake(entries[i].Queue);
            }
        }
    }

    /// <inheritdoc/>
    public void WakeAll()
    {
        foreach (var claimer in claimers.All)
        {
            claimer.Wake(fromFront: true);
        }
    }

    /// <summary>Polls at once. Called after a cancellation was requested, or a queue was paused or resumed.</summary>
    public void PollNow() => _pollNow?.Invoke();
}
