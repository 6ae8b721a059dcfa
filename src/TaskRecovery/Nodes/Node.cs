using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Nodes;

/// <summary>One life of this process as a node: from a registration until the node leaves, is declared dead or finds that the database went back in time. The next life has another id.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "A token source without timer or wait handle holds nothing, and readers of its token may come late.")]
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

    /// <summary>Its label.</summary>
    public string Name { get; } = name;

    /// <summary>What this life has claimed.</summary>
    public ClaimBook Claims { get; } = new();

    /// <summary>The lease; <see langword="null"/> while the node is suspended or after it has ended.</summary>
    public NodeLease? Lease => Volatile.Read(ref _lease) is { IsValid: true } lease ? lease : null;

    /// <summary>Cancelled when the life is over; the lease's token is cancelled before.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>A handler is about to start. Its claim's lease is looked at once more after this.</summary>
    public void RunBegins() => Interlocked.Increment(ref _running);

    /// <summary>A handler has returned.</summary>
    public void RunEnded()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            Interlocked.Exchange(ref _whenNothingRuns, null)?.Invoke();
        }
    }

    /// <summary>Does something once no handler runs, which may be now. The life is over: none starts any more.</summary>
    public void WhenNothingRuns(Action action)
    {
        Interlocked.Exchange(ref _whenNothingRuns, action);
        if (Volatile.Read(ref _running) == 0)
        {
            Interlocked.Exchange(ref _whenNothingRuns, null)?.Invoke();
        }
    }

    /// <summary>Whether it has lost a lease before.</summary>
    internal bool WasSuspended { get; set; }

    /// <summary>Why it is over; <see langword="null"/> while it is not.</summary>
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

    /// <summary>An accepted heartbeat: moves the deadline, or gives a new lease after the old one was lost. The old deadline is checked first: a lease that has expired is lost even if nobody has noticed yet.</summary>
    /// <returns>What changed.</returns>
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

    /// <summary>Moves the deadline without a heartbeat; changes nothing for a lease that has expired.</summary>
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
    /// <param name="deadline">The deadline to look at next; <see langword="null"/> if there is no lease.</param>
    internal LeaseChange CheckDeadline(out long? deadline)
    {
        lock (_gate)
        {
            var lost = LoseIfExpired();
            deadline = _lease?.Deadline;
            return lost ? LeaseChange.Lost : LeaseChange.None;
        }
    }

    /// <summary>Ends the life and its lease.</summary>
    /// <returns><see langword="true"/> if this call did it.</returns>
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

        new Thread(_ended.Cancel) { IsBackground = true, Name = "TaskRecovery life ended" }.UnsafeStart();
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

/// <summary>Why a life is over.</summary>
internal enum NodeEnd
{
    /// <summary>The process stops.</summary>
    Left,

    /// <summary>Others declared it dead.</summary>
    DeclaredDead,

    /// <summary>A claim id was not greater than one seen before: the database went back in time.</summary>
    WentBackInTime,
}

/// <summary>What an event did to a lease.</summary>
internal enum LeaseChange
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A lease was given.</summary>
    Granted,

    /// <summary>The lease was lost.</summary>
    Lost,

    /// <summary>The lease had been lost, and another was given.</summary>
    LostAndGranted,
}
