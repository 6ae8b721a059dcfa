using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>Whether this node listens for hints now. Nodes take turns, whether they get work or not: while a node listens, it gets most of
/// the new work, and a node that can do none of it must not stay among those that listen.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A token source without timer or wait handle holds nothing, "
    + "and readers of its token may come late.")]
internal sealed class HintTurns(TimeProvider time) : IHintTurns
{
    /// <summary>After this time, a node that was chosen goes to the end of the line.</summary>
    internal static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(30);

    /// <summary>For this time after a failed attempt to listen, a node reports that it is full, so that others are chosen.</summary>
    internal static readonly TimeSpan ListensAgainAfter = TimeSpan.FromMinutes(1);

    /// <summary>If an entry waited for this time, the first node of the line has missed it: it is stopped, dead or full.</summary>
    internal static readonly TimeSpan Late = TimeSpan.FromMilliseconds(25);

    /// <summary>For this time after such an entry, a node leaves nothing of its queue to the first node.</summary>
    internal static readonly TimeSpan ServesFor = TimeSpan.FromSeconds(3);

    // The nodes that take over begin to listen with their next heartbeats. Until then this node continues, so that hints are not lost.
    private const int HeartbeatsUntilHandedOver = 3;

    // Coarse, so that a few runs more or less do not change who listens.
    private const int LoadLevels = 4;

    private readonly Lock _gate = new();

    // For how many heartbeats in a row this node has left each line to its first node.
    private readonly Dictionary<string, int> _left = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _foundLateAt = new(StringComparer.Ordinal);
    private IReadOnlyCollection<KeyValuePair<string, QueueWorker>> _queues = [];
    private string _kinds = string.Empty;
    private TaskCompletionSource _begins = Completed();
    private CancellationTokenSource _turn = new();
    private long? _chosenAt;
    private long? _listenFailedAt;

    // The first heartbeat decides at once, because nothing has listened before it.
    private int _heartbeatsBehind = HeartbeatsUntilHandedOver;
    private bool _hasListened;
    private bool _endsTurn;
    private volatile bool _isStopping;
    private volatile HintLine[] _lines = [];

    // How many nodes are alive, if none of them reports its queues.
    private int _alive = 1;

    /// <summary>Whether this node listens, or is about to.</summary>
    public bool Listens
    {
        get
        {
            lock (_gate)
            {
                return _begins.Task.IsCompleted;
            }
        }
    }

    /// <summary>How many nodes stand in the shortest line of this node, including this one, as of the last heartbeat that read the
    /// others: only they find for each other what polls for recent entries do not see.</summary>
    public int Nodes => HintListeners.LengthOfShortest(_lines);

    /// <summary>How many nodes may claim from a queue: those in its line, or all that are alive if they do not report their
    /// queues.</summary>
    public int NodesOf(string queue)
    {
        lock (_gate)
        {
            var name = HintListeners.Line(queue, _kinds);
            return Array.Find(_lines, line => string.Equals(line.Name, name, StringComparison.Ordinal)) is { Nodes: > 0 and var nodes }
                ? nodes : _alive;
        }
    }

    /// <summary>Whether this node leaves new entries of a queue to the first node of the line
    /// (<see cref="HintLine.LeavesToFirst"/>). Begins some heartbeats late, when the first node knows that it is the first. Not for a
    /// while after <see cref="FoundLate"/>.</summary>
    public bool Leaves(string queue)
    {
        lock (_gate)
        {
            return LeavesNow(queue);
        }
    }

    /// <summary>How long this node leaves an entry of a queue to the first node of the line, after a hint of it or after it became
    /// due.</summary>
    /// <returns><see langword="null"/> if it leaves the entry to its polls too, because another node listens for what the first
    /// misses.</returns>
    public TimeSpan? Patience(string queue)
    {
        lock (_gate)
        {
            if (!LeavesNow(queue))
            {
                return TimeSpan.Zero;
            }

            return _begins.Task.IsCompleted ? TimeSpan.FromMilliseconds(PollLimits.NewMilliseconds) : null;
        }
    }

    /// <summary>Records that this node has found an entry that had waited for <see cref="Late"/>.</summary>
    public void FoundLate(string queue)
    {
        lock (_gate)
        {
            _foundLateAt[queue] = time.GetTimestamp();
        }
    }

    /// <summary>Sets the queues of this node and the kinds that it runs.</summary>
    public void Serve(IReadOnlyCollection<KeyValuePair<string, QueueWorker>> queues, IEnumerable<string> kinds)
    {
        lock (_gate)
        {
            (_queues, _kinds) = (queues, HintListeners.MarkOf(kinds));
        }
    }

    /// <summary>Reports this node as full from now on, because it claims nothing more.</summary>
    public void BeginStopping() => _isStopping = true;

    /// <summary>Reports this node as full for <see cref="ListensAgainAfter"/>, because no hint reaches it.</summary>
    public void ListenFailed()
    {
        lock (_gate)
        {
            _listenFailedAt = time.GetTimestamp();
        }
    }

    /// <summary>Ends what <see cref="ListenFailed"/> began.</summary>
    public void ListenSucceeded()
    {
        lock (_gate)
        {
            _listenFailedAt = null;
        }
    }

    /// <summary>Waits until this node is to listen.</summary>
    /// <returns>Cancelled when its turn has ended.</returns>
    public async Task<CancellationToken> WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task begins;
            lock (_gate)
            {
                if (_begins.Task.IsCompleted)
                {
                    return _turn.Token;
                }

                begins = _begins.Task;
            }

            await begins.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public HintOffer Offer()
    {
        lock (_gate)
        {
            var (busy, capacity, lines, full) = (0, 0, new List<string>(), new List<string>());
            var takesNothing = _isStopping || (_listenFailedAt is { } at && time.GetElapsedTime(at) < ListensAgainAfter);
            foreach (var (name, queue) in _queues)
            {
                var line = HintListeners.Line(name, _kinds);
                lines.Add(line);
                busy += queue.Executors.Held;
                capacity += queue.Executors.Concurrency;
                if (takesNothing || queue.Claimer.IsFull)
                {
                    full.Add(line);
                }
            }

            var offer = new HintOffer(lines, full, Level(busy, capacity), _endsTurn || IsLong());
            if (offer.EndsTurn)
            {
                _chosenAt = null;
            }

            return offer;
        }
    }

    /// <inheritdoc/>
    public void Observe(HintPlace? own, IReadOnlyList<PeerHeartbeat> peers)
    {
        HintLine[] lines = own is null ? [] : HintListeners.See(own, peers);
        var isChosen = own is null || lines.Any(static line => line.Listens);
        CancellationTokenSource? ended = null;
        TaskCompletionSource? begins = null;
        lock (_gate)
        {
            _endsTurn = false;
            _heartbeatsBehind = isChosen ? 0 : _heartbeatsBehind + 1;
            if (isChosen && !_begins.Task.IsCompleted)
            {
                (_turn, _chosenAt, begins) = (new CancellationTokenSource(), null, _begins);
            }
            else if (!isChosen && _begins.Task.IsCompleted && _heartbeatsBehind >= HeartbeatsUntilHandedOver)
            {
                (_endsTurn, ended) = (_hasListened, _turn);
                _begins = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            if (isChosen)
            {
                _hasListened = true;
                _chosenAt ??= time.GetTimestamp();
            }

            if (own is null)
            {
                _left.Clear();
            }

            (_lines, _alive) = (lines, own is { Queues.Count: 0 } ? peers.Count + 1 : 1);
            foreach (var line in lines)
            {
                _left[line.Name] = line.LeavesToFirst ? _left.GetValueOrDefault(line.Name) + 1 : 0;
            }
        }

        begins?.TrySetResult();
        _ = ended?.CancelAsync();
    }

    /// <summary>The level of a load: 0 below a quarter of the capacity.</summary>
    internal static int Level(int busy, int capacity) => capacity == 0 ? 0 : Math.Min(LoadLevels, busy * LoadLevels / capacity);

    private static TaskCompletionSource Completed()
    {
        var completed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        completed.SetResult();
        return completed;
    }

    private bool LeavesNow(string queue)
        => _left.GetValueOrDefault(HintListeners.Line(queue, _kinds)) >= HeartbeatsUntilHandedOver
            && !(_foundLateAt.TryGetValue(queue, out var at) && time.GetElapsedTime(at) < ServesFor);

    private bool IsLong() => _chosenAt is { } at && time.GetElapsedTime(at) >= LongestTurn;
}
