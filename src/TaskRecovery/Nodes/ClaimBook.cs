namespace TaskRecovery.Nodes;

/// <summary>The claims that one node registration holds, and its claim calls that are not answered yet. If the store lists any other claim
/// for the node, its answer was lost.</summary>
/// <remarks>Order of use: <see cref="Begin"/> before the call is sent, then <see cref="End"/> with its answer or <see cref="Abandon"/> if
/// there is none, and <see cref="Forget"/> once every entry of the claim has an outcome.</remarks>
internal sealed class ClaimBook
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _known = [];
    private readonly SortedSet<long> _inFlight = [];
    private long _lastCall;
    private long _highestFence;

    /// <summary>The number of known claims.</summary>
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

    /// <summary>The known claims.</summary>
    public IReadOnlyList<long> List()
    {
        lock (_gate)
        {
            return [.. _known];
        }
    }

    /// <summary>Registers a claim call that is about to be sent under this lease.</summary>
    public ClaimTicket Begin(NodeLease lease)
    {
        lock (_gate)
        {
            var call = ++_lastCall;
            _inFlight.Add(call);
            return new ClaimTicket(lease, call, _highestFence);
        }
    }

    /// <summary>Records the answer of a claim call. The caller may run the entries only if the result is
    /// <see cref="ClaimAnswer.Accepted"/>; the claim is then known until <see cref="Forget"/>.</summary>
    /// <param name="ticket">The result of <see cref="Begin"/>.</param>
    /// <param name="fence">The claim's id; 0 if nothing was claimed.</param>
    public ClaimAnswer End(ClaimTicket ticket, long fence)
    {
        lock (_gate)
        {
            _inFlight.Remove(ticket.Call);
            if (fence == 0)
            {
                return ClaimAnswer.Accepted;
            }

            // Compared with the highest fence at the time the call was sent, because the answers of two claimers can arrive out of order.
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

    /// <summary>Records that a claim call failed or was aborted. The store may have made the claim anyway; the reconciler then finds
    /// it.</summary>
    public void Abandon(ClaimTicket ticket)
    {
        lock (_gate)
        {
            _inFlight.Remove(ticket.Call);
        }
    }

    /// <summary>Removes a claim whose entries all have an outcome, or of which nothing will run. The reconciler releases its entries that
    /// are left in the store.</summary>
    public void Forget(long fence)
    {
        lock (_gate)
        {
            _known.Remove(fence);
        }
    }

    /// <summary>The number of the latest claim call begun so far.</summary>
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

    /// <summary>The claims known now. The store must list each of them until it is forgotten here, because a claim is removed from the
    /// store only after that.</summary>
    internal IReadOnlyList<long> ListKnown()
    {
        lock (_gate)
        {
            return [.. _known];
        }
    }

    /// <summary>A claim that was known before the list was read, is still known, and is not in the list; <see langword="null"/> if there is
    /// none.</summary>
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

    /// <summary>The listed claims that are not known here; <see langword="null"/> while a call up to <paramref name="lastCall"/> is not
    /// answered or abandoned yet, because its answer may contain them.</summary>
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
/// <param name="Lease">The lease under which the call was sent; the claimed entries may start only while it is valid.</param>
/// <param name="Call">The call's number.</param>
/// <param name="HighestFence">The highest claim id known when the call was sent.</param>
internal readonly record struct ClaimTicket(NodeLease Lease, long Call, long HighestFence);

/// <summary>What the caller does with the answer of a claim call.</summary>
internal enum ClaimAnswer
{
    /// <summary>Run its entries.</summary>
    Accepted,

    /// <summary>The lease under which the call was sent has expired: start none of its entries. The reconciler releases them.</summary>
    TooLate,

    /// <summary>The database went back in time: start none of its entries and call
    /// <see cref="ICurrentNode.ReportWentBackInTime"/>.</summary>
    WentBackInTime,
}
