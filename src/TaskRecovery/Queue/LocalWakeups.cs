using System.Collections.Concurrent;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Queue;

/// <summary>Wakes this process's own claimers without a way through the database.</summary>
internal sealed class LocalWakeups : IClaimWaker
{
    private readonly ConcurrentDictionary<string, IWakeable> _claimers = new(StringComparer.Ordinal);
    private volatile Action? _onControl;

    /// <summary>Says who claims from a queue.</summary>
    public void Register(string queue, IWakeable claimer) => _claimers[queue] = claimer;

    /// <summary>Says who looks for cancel requests and paused queues.</summary>
    public void RegisterControl(Action onControl) => _onControl = onControl;

    /// <summary>An entry was stored in this queue.</summary>
    public void Wake(string queue)
    {
        if (_claimers.TryGetValue(queue, out var claimer))
        {
            claimer.Wake(fromFront: false);
        }
    }

    /// <summary>Entries were stored, mostly many of one queue one after the other.</summary>
    public void Wake(NewEntry[] entries)
    {
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
        foreach (var claimer in _claimers.Values)
        {
            claimer.Wake(fromFront: true);
        }
    }

    /// <summary>A cancel was requested, or a queue paused or resumed.</summary>
    public void Control() => _onControl?.Invoke();
}

/// <summary>Something that claims from one queue.</summary>
internal interface IWakeable
{
    /// <summary>Work may have come.</summary>
    /// <param name="fromFront">It may be earlier in line than where the last claim stopped.</param>
    void Wake(bool fromFront);
}
