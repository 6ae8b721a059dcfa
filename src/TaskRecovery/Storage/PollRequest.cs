using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The request of a node's periodic poll.</summary>
/// <param name="NodeId">The id of the node.</param>
/// <param name="Queues">The queues that the node serves.</param>
/// <param name="Kinds">The kinds that the node can run.</param>
/// <param name="WithUnknownKinds">Whether to search for waiting kinds that the node can't run. Set only occasionally.</param>
[Experimental("TASKRECOVERY001")]
public sealed record PollRequest(Guid NodeId, IReadOnlyCollection<string> Queues, IReadOnlyCollection<string> Kinds, bool WithUnknownKinds)
{
    /// <summary>The fences of the claims whose cancel requests are returned; <see langword="null"/> for all claims that the store has for
    /// the node.</summary>
    public IReadOnlyList<long>? Claims { get; init; }

    /// <summary>Those of the queues whose new entries this node leaves to another node that listens for hints: an entry that became due
    /// within <see cref="PollLimits.NewMilliseconds"/> need not be reported, and <see cref="PollResult.NextDue"/> does not count these
    /// queues. A store in which every node listens ignores this.</summary>
    public IReadOnlyCollection<string> LeftQueues { get; init; } = [];

    /// <summary>Whether it suffices to read entries that became due within <see cref="PollLimits.RecentSeconds"/>. Set only if all
    /// queues are left to another node, and not with every poll.</summary>
    public bool OnlyRecent { get; init; }
}
