using System.Diagnostics;

namespace TaskRecovery.Chaos;

/// <summary>The times whose commits a failover to an asynchronous standby may have lost.</summary>
internal sealed class LostWindows(IEnumerable<HarmRecord> harms)
{
    // A node may start an entry of a lost claim after the promotion, until the database has answered it that the claim is gone.
    private static readonly long Noticed = 5 * Stopwatch.Frequency;

    private readonly IReadOnlyList<HarmRecord> _windows = [.. harms.Where(harm => harm.Kind == HarmKinds.LossyFailover)];

    /// <summary>Acknowledged entries that are gone.</summary>
    public int Entries { get; set; }

    /// <summary>Runs of two nodes at once, the first under a claim that is gone.</summary>
    public int Overlaps { get; set; }

    /// <summary>Results of steps that are gone.</summary>
    public int Steps { get; set; }

    /// <summary>Changes of jobs that are gone.</summary>
    public int Changes { get; set; }

    /// <summary>How many there were.</summary>
    public int Count => _windows.Count;

    /// <summary>Whether what was confirmed at this time may be gone.</summary>
    public bool Contains(long at) => _windows.Any(window => window.At <= at && at <= window.Until);

    /// <summary>Whether a run that began at this time may have a claim that is gone, while another began its entry.</summary>
    public bool MayOverlap(Run first, Run second)
        => _windows.Any(window => window.At <= first.Begin && first.Begin <= window.Until + Noticed && second.Begin > window.Until);
}
