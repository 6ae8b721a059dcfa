using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Hosting;

namespace TaskRecovery.Nodes;

/// <summary>One registration of this process as a node. It ends when the node leaves, is declared dead, or finds that the database has
/// lost commits. The next registration has another id.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A token source without timer or wait handle holds nothing, "
    + "and readers of its token may come late.")]
internal sealed class Node(Guid id, string name, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private NodeLease? _lease;
    private NodeEnd? _end;
    private Action? _whenNothingRuns;
    private int _running;

    /// <summary>The node's id.</summary>
    public Guid Id { get; } = id;

    /// <summary>The node's display name.</summary>
    public string Name { get; } = name;

    /// <summary>The claims of this registration.</summary>
    public NodeClaims Claims { get; } = new(time);

    /// <summary>The valid lease; <see langword="null"/> while the node has none, or after the registration has ended.</summary>
    public NodeLease? Lease => Volatile.Read(ref _lease) is { IsValid: true } lease ? lease : null;

    /// <summary>Cancelled when the registration has ended. The lease is lost before that.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Counts a handler that is about to start. The caller checks the lease once more after this call.</summary>
    public void RunBegins() => Interlocked.Increment(ref _running);

    /// <summary>Counts a handler that has returned.</summary>
    public void RunEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            Interlocked.Exchange(ref _whenNothingRuns, null)?.Invoke();
        }
    }

    /// <summary>Calls <paramref name="action"/> once no handler is running, which may be immediately. Called after the registration has
    /// ended, so no handler can start any more.</summary>
    public void WhenNothingRuns(Action action)
    {
        Interlocked.Exchange(ref _whenNothingRuns, action);
        if (Volatile.Read(ref _running) == 0)
        {
            Interlocked.Exchange(ref _whenNothingRuns, null)?.Invoke();
        }
    }

    /// <summary>Whether this registration has lost a lease before.</summary>
    internal bool HasLostLease { get; set; }

    /// <summary>Why the registration ended; <see langword="null"/> while it has not.</summary>
    public NodeEnd? End
    {
        get
        {
            lock (_gate)
            {
                return _end;
            }
        }
    }

    /// <summary>Called for an accepted heartbeat: moves the deadline, or grants a new lease if the old one was lost. The old deadline is
    /// checked first, because an expired lease is lost even if no thread has noticed it yet.</summary>
    /// <returns>How the lease changed.</returns>
    internal LeaseChange Extend(long deadline)
    {
        lock (_gate)
        {
            if (_end is not null)
            {
                return LeaseChange.None;
            }

            var lost = LoseIfExpired();
            if (_lease is not null)
            {
                _lease.MoveDeadline(deadline);
                return LeaseChange.None;
            }

            if (deadline <= time.GetTimestamp())
            {
                return lost ? LeaseChange.Lost : LeaseChange.None;
            }

            Volatile.Write(ref _lease, new NodeLease(this, time, deadline));
            return lost ? LeaseChange.LostAndGranted : LeaseChange.Granted;
        }
    }

    /// <summary>Moves the deadline without a heartbeat. An expired lease is not extended but ended.</summary>
    internal LeaseChange MoveDeadline(long deadline)
    {
        lock (_gate)
        {
            if (LoseIfExpired())
            {
                return LeaseChange.Lost;
            }

            _lease?.MoveDeadline(deadline);
            return LeaseChange.None;
        }
    }

    /// <summary>Ends the lease if its deadline has passed.</summary>
    /// <param name="deadline">When to check next, as a timestamp of the time provider; <see langword="null"/> if there is no lease.</param>
    internal LeaseChange CheckDeadline(out long? deadline)
    {
        lock (_gate)
        {
            var lost = LoseIfExpired();
            deadline = _lease?.Deadline;
            return lost ? LeaseChange.Lost : LeaseChange.None;
        }
    }

    /// <summary>Ends the registration and its lease.</summary>
    /// <returns><see langword="true"/> if this call ended it; <see langword="false"/> if it had already ended.</returns>
    internal bool EndWith(NodeEnd end)
    {
        lock (_gate)
        {
            if (_end is not null)
            {
                return false;
            }

            _end = end;
            _lease?.End();
            Volatile.Write(ref _lease, null);
        }

        if (!OwnThread.TryStart(_ended.Cancel, "TaskRecovery node ended"))
        {
            ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.Cancel(), _ended, preferLocal: false);
        }

        return true;
    }

    private bool LoseIfExpired()
    {
        if (_lease is null || _lease.IsValid)
        {
            return false;
        }

        _lease.End();
        Volatile.Write(ref _lease, null);
        return true;
    }
}

/// <summary>Why a registration ended.</summary>
internal enum NodeEnd
{
    /// <summary>The process is stopping.</summary>
    Left,

    /// <summary>Another node declared this node dead.</summary>
    DeclaredDead,

    /// <summary>A new claim's id was not greater than an earlier one, or the store lost a claim: the database has lost commits.</summary>
    LostCommits,
}

/// <summary>How an event changed a lease.</summary>
internal enum LeaseChange
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A lease was granted.</summary>
    Granted,

    /// <summary>The lease was lost.</summary>
    Lost,

    /// <summary>The old lease was lost, and a new one was granted.</summary>
    LostAndGranted,
}
