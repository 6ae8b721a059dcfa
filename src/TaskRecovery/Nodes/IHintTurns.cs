using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Decides with each heartbeat whether this node listens for hints. Called on the heartbeat's thread; it must not block.</summary>
internal interface IHintTurns
{
    /// <summary>Returns what this node reports with its next heartbeat.</summary>
    HintOffer Offer();

    /// <summary>Decides, by what an accepted heartbeat has read.</summary>
    /// <param name="own">The place of this node; <see langword="null"/> if every node of the store listens.</param>
    /// <param name="peers">The other nodes.</param>
    void Observe(HintPlace? own, IReadOnlyList<PeerHeartbeat> peers);
}
