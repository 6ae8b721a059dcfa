using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Support;

/// <content>The fleet that the one node believes to be part of, and what its polls ask for.</content>
internal sealed partial class FakeQueueStore
{
    private readonly List<PollRequest> _polls = [];

    /// <summary>The place of the node in the line of those that listen. Without one, every node listens.</summary>
    public HintPlace? Place { get; init; }

    /// <summary>The other nodes.</summary>
    public IReadOnlyList<PeerHeartbeat> Peers { get; init; } = [];

    /// <summary>The requests of all polls.</summary>
    public IReadOnlyList<PollRequest> Polls => Locked(() => _polls.ToList());

    private PollResult Record(PollRequest request, PollResult result)
    {
        _polls.Add(request);
        return result;
    }
}
