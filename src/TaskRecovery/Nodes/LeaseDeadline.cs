using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>When this node must have stopped, counted from what it sent itself, so that it is always before the moment at which another may take its work.</summary>
/// <param name="UsesGrace">Whether others may act on a free session lock after the grace period; if not, the lease alone counts.</param>
/// <param name="Lease">The lease.</param>
/// <param name="Grace">The grace.</param>
/// <param name="TicksPerSecond">The frequency of the timestamps.</param>
/// <remarks>A value: every event gives a new one. Who may act when is decided by what the *store* last took from this node, which after a lost answer is not known:
/// then the earlier of the possible deadlines holds.</remarks>
internal readonly record struct LeaseDeadline(bool UsesGrace, TimeSpan Lease, TimeSpan Grace, long TicksPerSecond)
{
    /// <summary>How much earlier than the grace period a node stops.</summary>
    public static readonly TimeSpan BeforeGrace = TimeSpan.FromSeconds(0.5);

    /// <summary>How much earlier than the lease a node stops.</summary>
    public static readonly TimeSpan BeforeLease = TimeSpan.FromSeconds(3);

    private long Acked { get; init; }

    private bool EverHeld { get; init; }

    private bool GraceCounts { get; init; }

    private long? Doubtful { get; init; }

    /// <summary>The deadline.</summary>
    public long At
    {
        get
        {
            var fromAcknowledged = Acked + (GraceCounts ? UntilGrace : UntilLease);
            return Doubtful is { } sent ? Math.Min(fromAcknowledged, sent + UntilGrace) : fromAcknowledged;
        }
    }

    private long UntilGrace => Ticks(Grace - BeforeGrace);

    private long UntilLease => Ticks(Lease - BeforeLease);

    /// <summary>Chooses the rule for a store.</summary>
    public static LeaseDeadline For(StoreTraits traits, NodeOptions options, TimeProvider time)
        => new(traits is { UsesSessionLocks: true, LockProvesDeath: false }, options.Lease, options.Grace, time.TimestampFrequency);

    /// <summary>A heartbeat is about to be sent. If it says that the lock is held and its answer is lost, others may act on that heartbeat after the grace period.</summary>
    public LeaseDeadline Sending(long sent, bool holdsLock)
        => UsesGrace && holdsLock ? this with { Doubtful = Doubtful ?? sent, EverHeld = true } : this;

    /// <summary>A heartbeat was accepted: everything counts from when it was sent.</summary>
    /// <remarks>A life that has said once that it holds its lock keeps the grace period's deadline: a heartbeat that was given up with its session may still be carried out, and say so again (the model's variant OLD_BEAT_COUNTS).</remarks>
    public LeaseDeadline Acknowledged(long sent, bool holdsLock)
        => this with { Acked = sent, GraceCounts = UsesGrace && (holdsLock || EverHeld), EverHeld = EverHeld || holdsLock, Doubtful = null };

    /// <summary>The server turned this node away in a way that proves that the server rejects all connections: whoever gets in later has a new session, which has not seen this node's lock.</summary>
    public LeaseDeadline ServerRejectsAll() => this with { GraceCounts = false, Doubtful = null };

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * TicksPerSecond);
}
