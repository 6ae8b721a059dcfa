using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <content>The fleet that the one node believes to be part of, and what its polls ask for.</content>
internal sealed partial class FakeQueueStore
{
    private readonly List<PollRequest> _polls = [];

    /// <summary>The place of the node in the line of those that listen. Without one, every node listens. A place that names a queue is one
    /// in the line in which the node itself stands for it.</summary>
    public HintPlace? Place { get; init; }

    /// <summary>The other nodes, with places as that of the node.</summary>
    public IReadOnlyList<PeerHeartbeat> Peers { get; init; } = [];

    /// <summary>When the next entry of each queue is due, as polls report it.</summary>
    public TimeSpan? NextDue { get; init; }

    /// <summary>The requests of all polls.</summary>
    public IReadOnlyList<PollRequest> Polls => Locked(() => _polls.ToList());

    /// <summary>The traits of a store that is polled at an interval.</summary>
    public static StoreTraits PolledEvery(TimeSpan interval)
        => new() { System = "fake", UsesSessionLocks = false, LockProvesDeath = false, PollInterval = interval };

    /// <summary>What a heartbeat of the node reads.</summary>
    public HeartbeatResult Answer(bool accepted, HintOffer? hints)
        => new(accepted, [.. Peers.Select(peer => peer with { Place = InLines(peer.Place, hints) })], false)
        {
            Place = InLines(Place, hints),
        };

    private static HintPlace? InLines(HintPlace? place, HintOffer? hints)
        => place is null || hints is null ? place : place with
        {
            Queues = [.. place.Queues.Select(queue => hints.Queues.FirstOrDefault(
                line => line.StartsWith(queue + " ", StringComparison.Ordinal), queue))],
        };

    private PollResult Record(PollRequest request, PollResult result)
    {
        _polls.Add(request);
        return result;
    }
}
