using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The result of a claim.</summary>
/// <param name="NodeIsDead">Whether the node has been declared dead or was never registered. If so, nothing was claimed.</param>
/// <param name="Fence">The claim id; 0 if nothing was claimed.</param>
/// <param name="Entries">The entries in claim order.</param>
/// <param name="NextDue">The time until the next entry of this queue and these kinds is due; <see langword="null"/> if unknown. Zero if the
/// claim stopped at <see cref="ClaimLimits.Bytes"/>.</param>
[Experimental("TASKRECOVERY001")]
public sealed record ClaimBatch(bool NodeIsDead, long Fence, IReadOnlyList<ClaimedEntry> Entries, TimeSpan? NextDue)
{
    /// <summary>Whether other nodes claimed from the queue at about the same time, which makes a claim more expensive.</summary>
    public bool IsContested { get; init; }

    /// <summary>An empty claim, with no known next due time.</summary>
    public static ClaimBatch Empty { get; } = new(false, 0, [], null);
}
