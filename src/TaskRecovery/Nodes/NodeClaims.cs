using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>All that one node registration knows of its claims: the calls that are not answered yet, the claims with entries that still
/// need an outcome, and the settled claims that the store has not removed yet. If the store lists any other claim for the node, its answer
/// was lost.</summary>
/// <remarks>Order of use: <see cref="Begin"/> before a call is sent, then
/// <see cref="End(ClaimTicket, ClaimBatch, string, out NodeClaim?)"/> with its answer or <see cref="Abandon"/> if there is none;
/// <see cref="NodeClaim.Settle"/> for each entry that got an outcome; and <see cref="TakeSettled"/> to remove settled claims from the
/// store.</remarks>
internal sealed class NodeClaims(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly HashSet<long> _open = [];
    private readonly SortedSet<long> _inFlight = [];
    private List<long> _settled = [];
    private long _lastCall;
    private long _highestFence;

    /// <summary>The number of open claims.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>The open claims. The store must list each of them until it is settled here, because a claim is removed from the store only
    /// after that.</summary>
    public IReadOnlyList<long> List()
    {
        lock (_gate)
        {
            return [.. _open];
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
    /// <see cref="ClaimAnswer.Accepted"/>; the claim is then open until all of its entries are settled.</summary>
    /// <param name="ticket">The result of <see cref="Begin"/>.</param>
    /// <param name="batch">The answer.</param>
    /// <param name="queue">The queue of the claimed entries.</param>
    /// <param name="claim">The accepted claim; <see langword="null"/> if nothing was claimed or accepted, and if the claim has no
    /// entries: it is settled then.</param>
    public ClaimAnswer End(ClaimTicket ticket, ClaimBatch batch, string queue, out NodeClaim? claim)
    {
        claim = null;
        var answer = End(ticket, batch.Fence);
        if (answer == ClaimAnswer.Accepted && batch.Fence != 0)
        {
            claim = new NodeClaim(ticket.Lease, batch.Fence, queue, batch.Entries.Count, time.GetTimestamp());
            if (batch.Entries.Count == 0)
            {
                // No entry will settle it.
                claim.Settle(0);
                claim = null;
            }
        }

        return answer;
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

    /// <summary>Counts settled entries of a claim. After the last one, the claim is no longer open and waits to be removed from the
    /// store.</summary>
    public void Settle(NodeClaim claim, int entries)
    {
        lock (_gate)
        {
            claim.Unsettled -= entries;
            if (claim.Unsettled == 0 && _open.Remove(claim.Fence))
            {
                _settled.Add(claim.Fence);
            }
        }
    }

    /// <summary>Returns the settled claims that are to be removed from the store now. If that fails, the caller returns them with
    /// <see cref="PutBack"/>.</summary>
    public IReadOnlyList<long> TakeSettled()
    {
        lock (_gate)
        {
            if (_settled.Count == 0)
            {
                return [];
            }

            var settled = _settled;
            _settled = [];
            return settled;
        }
    }

    /// <summary>Returns settled claims that could not be removed from the store.</summary>
    public void PutBack(IReadOnlyList<long> settled)
    {
        lock (_gate)
        {
            _settled.AddRange(settled);
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

    internal ClaimAnswer End(ClaimTicket ticket, long fence)
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
                return ClaimAnswer.LostCommits;
            }

            _highestFence = Math.Max(_highestFence, fence);
            if (!ticket.Lease.IsValid)
            {
                return ClaimAnswer.TooLate;
            }

            _open.Add(fence);
            return ClaimAnswer.Accepted;
        }
    }

    /// <summary>A claim that was open before the list was read, is still open, and is not in the list; <see langword="null"/> if there is
    /// none.</summary>
    internal long? FindMissing(IReadOnlyList<long> openBefore, IReadOnlyList<long> listed)
    {
        if (openBefore.Count == 0)
        {
            return null;
        }

        var inStore = listed.ToHashSet();
        lock (_gate)
        {
            foreach (var fence in openBefore)
            {
                if (!inStore.Contains(fence) && _open.Contains(fence))
                {
                    return fence;
                }
            }
        }

        return null;
    }

    /// <summary>The listed claims that are not open here; <see langword="null"/> while a call up to <paramref name="lastCall"/> is not
    /// answered or abandoned yet, because its answer may contain them. A settled claim counts as unknown: if the store still has an entry
    /// of it without an outcome, that entry must be released.</summary>
    internal IReadOnlyList<long>? Unknown(IReadOnlyList<long> listed, long lastCall)
    {
        lock (_gate)
        {
            return _inFlight.Count > 0 && _inFlight.Min <= lastCall
                ? null
                : [.. listed.Where(fence => !_open.Contains(fence))];
        }
    }
}
