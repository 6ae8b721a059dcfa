namespace TaskRecovery.Nodes;

/// <summary>Decides with which heartbeats a node reads the other nodes: with each while there are few of them, and otherwise with every
/// second or third.</summary>
/// <remarks>If each of n nodes reads all of them once a second, that costs the server n² rows a second. A death is noticed as early as if
/// they did: among so many nodes, one has read the dead node's row just after its last heartbeat, and reads it again at the moment at which
/// its grace or lease ends. Not thread-safe.</remarks>
/// <param name="options">The heartbeat interval, the lease and the grace period.</param>
internal sealed class PeerReads(NodeOptions options)
{
    /// <summary>Up to so many nodes, each reads the others with every heartbeat.</summary>
    internal const int Few = 100;

    private int _sinceRead = -1;
    private bool _isSpread;

    /// <summary>With every how many heartbeats a node reads the others.</summary>
    /// <param name="nodes">How many nodes are alive.</param>
    /// <param name="options">The heartbeat interval, the lease and the grace period.</param>
    internal static int Every(int nodes, NodeOptions options)
    {
        // A detector that has not watched for this time restarts the silence timers of all peers. Two heartbeats of it are a reserve,
        // so that one late answer does not do that.
        var watched = options.Grace > options.Lease / 3 ? options.Grace : options.Lease / 3;
        var most = (int)Math.Min(watched / options.HeartbeatInterval, int.MaxValue) - 2;
        return Math.Clamp((nodes + Few - 1) / Few, 1, Math.Clamp(most, 1, 3));
    }

    /// <summary>Counts a heartbeat that is about to be sent.</summary>
    /// <param name="nodes">How many nodes were alive at the last read; 0 if that is unknown.</param>
    /// <param name="decides">Whether a peer may have to be declared dead now.</param>
    /// <returns>Whether the heartbeat reads the other nodes.</returns>
    public bool Next(int nodes, bool decides)
    {
        var every = Every(nodes, options);
        if (_sinceRead >= 0 && _sinceRead + 1 < every && !decides)
        {
            _sinceRead++;
            return false;
        }

        // Nodes that were started together would read at the same moment.
        _sinceRead = every > 1 && !_isSpread ? Random.Shared.Next(every) : 0;
        _isSpread |= every > 1;
        return true;
    }

    /// <summary>Lets the next heartbeat read the other nodes: a verdict could not be carried out.</summary>
    public void Repeat() => _sinceRead = -1;
}
