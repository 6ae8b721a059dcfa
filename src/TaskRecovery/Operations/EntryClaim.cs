namespace TaskRecovery;

/// <summary>The claim under which an entry runs.</summary>
public sealed record EntryClaim
{
    /// <summary>The fence (claim id).</summary>
    public required long Fence { get; init; }

    /// <summary>The name or id of the node.</summary>
    public required string Node { get; init; }

    /// <summary>The id of the node.</summary>
    public required Guid NodeId { get; init; }

    /// <summary>The time of the claim.</summary>
    public required DateTimeOffset ClaimedAt { get; init; }

    /// <summary>The number of entries in the claim, including those that have ended.</summary>
    public required int Entries { get; init; }
}
