namespace TaskRecovery.Nodes;

/// <summary>The claims that one life of a node knows of, and the claim calls whose answers are still to come. What the store lists beyond that is a claim whose answer was lost.</summary>
/// <remarks>Order of use: <see cref="Begin"/> before the call is sent, then <see cref="End"/> with its answer or <see cref="Abandon"/> without one, and <see cref="Forget"/> when
/// every entry of the claim is settled.</remarks>
internal sealed class ClaimBook
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _known = [];
    private readonly SortedSet<long> _inFlight = [];
    private long _lastCall;
    private long _highestFence;

    /// <summary>How many claims are known.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _known.Count;
            }
        }
    }

    /// <summary>The claims that are known.</summary>
    public IReadOnlyList<long> List()
    {
        lock (_gate)
        {
            return [.. _known];
        }
    }

    /// <summary>Says that a claim call is about to be sent under this lease.</summary>
    public ClaimTicket Begin(NodeLease lease)
    {
        lock (_gate)
        {
            var call = ++_lastCall;
            _inFlight.Add(call);
            return new ClaimTicket(lease, call, _highestFence);
        }
    }

    /// <summary>Takes in the answer of a claim call. Only what is <see cref="ClaimAnswer.Accepted"/> may be worked; it is then known until <see cref="Forget"/>.</summary>
    /// <param name="ticket">What <see cref="Begin"/> gave.</param>
    /// <param name="fence">The claim's id, 0 if nothing was claimed.</param>
    public ClaimAnswer End(ClaimTicket ticket, long fence)
    {
        lock (_gate)
        {
            _inFlight.Remove(ticket.Call);
            if (fence == 0)
            {
                return ClaimAnswer.Accepted;
            }

            // Compared with what had been seen when the call was sent: answers of two claimers may overtake each other.
            if (fence <= ticket.HighestFence)
            {
                return ClaimAnswer.WentBackInTime;
            }

            _highestFence = Math.Max(_highestFence, fence);
            if (!ticket.Lease.IsValid)
            {
                return ClaimAnswer.TooLate;
            }

            _known.Add(fence);
            return ClaimAnswer.Accepted;
        }
    }

    /// <summary>Says that a claim call failed or was given up. The claim may have been made all the same; reconciling finds it.</summary>
    public void Abandon(ClaimTicket ticket)
    {
        lock (_gate)
        {
            _inFlight.Remove(ticket.Call);
        }
    }

    /// <summary>Says that a claim is settled, or that nothing of it will be worked: what is left of it in the store is released.</summary>
    public void Forget(long fence)
    {
        lock (_gate)
        {
            _known.Remove(fence);
        }
    }

    /// <summary>The newest claim call begun so far.</summary>
    internal long LastCall
    {
        get
        {
            lock (_gate)
            {
                return _lastCall;
            }
        }
    }

    /// <summary>The claims that are known now. The store must list each of them until it is forgotten here: claims are removed after that.</summary>
    internal IReadOnlyList<long> ListKnown()
    {
        lock (_gate)
        {
            return [.. _known];
        }
    }

    /// <summary>A claim that was known before the store was asked, is known still, and is not in the list; <see langword="null"/> if there is none.</summary>
    internal long? FindMissing(IReadOnlyList<long> knownBefore, IReadOnlyList<long> listed)
    {
        if (knownBefore.Count == 0)
        {
            return null;
        }

        var inStore = listed.ToHashSet();
        lock (_gate)
        {
            foreach (var fence in knownBefore)
            {
                if (!inStore.Contains(fence) && _known.Contains(fence))
                {
                    return fence;
                }
            }
        }

        return null;
    }

    /// <summary>Those of the listed claims that nobody here knows, if every call up to <paramref name="lastCall"/> has been answered or given up; <see langword="null"/> while one has not.</summary>
    internal IReadOnlyList<long>? Unknown(IReadOnlyList<long> listed, long lastCall)
    {
        lock (_gate)
        {
            return _inFlight.Count > 0 && _inFlight.Min <= lastCall
                ? null
                : [.. listed.Where(fence => !_known.Contains(fence))];
        }
    }
}

/// <summary>One claim call.</summary>
/// <param name="Lease">The lease it was sent under; its answer is worked only while that is valid.</param>
/// <param name="Call">The call's number.</param>
/// <param name="HighestFence">The highest claim id seen when it was sent.</param>
internal readonly record struct ClaimTicket(NodeLease Lease, long Call, long HighestFence);

/// <summary>What to do with the answer of a claim call.</summary>
internal enum ClaimAnswer
{
    /// <summary>Work it.</summary>
    Accepted,

    /// <summary>The lease it was sent under is lost: start nothing of it. Reconciling gives it back.</summary>
    TooLate,

    /// <summary>The database went back in time: start nothing of it and tell <see cref="ICurrentNode.ReportWentBackInTime"/>.</summary>
    WentBackInTime,
}
