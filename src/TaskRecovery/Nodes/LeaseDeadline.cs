using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Computes when this node must stop its handlers. The deadline counts from the time a heartbeat was sent, so it is always before
/// the moment at which another node may take this node's work.</summary>
/// <param name="UsesGrace">Whether other nodes may act on a free session lock after the grace period; if not, only the lease
/// counts.</param>
/// <param name="Lease">How long a node stays alive without a heartbeat.</param>
/// <param name="Grace">How long a node stays alive without a heartbeat once its session lock is free.</param>
/// <param name="TicksPerSecond">The frequency of the time provider's timestamps.</param>
/// <remarks>An immutable value: each event returns a new one. Other nodes judge this node by the last heartbeat that the store accepted. If
/// the answer to a heartbeat is lost, this node does not know whether it was accepted, so the earlier of the possible deadlines
/// applies.</remarks>
internal readonly record struct LeaseDeadline(bool UsesGrace, TimeSpan Lease, TimeSpan Grace, long TicksPerSecond)
{
    /// <summary>How long before the end of the grace period a node stops.</summary>
    public static readonly TimeSpan BeforeGrace = TimeSpan.FromSeconds(0.5);

    /// <summary>How long before the end of the lease a node stops.</summary>
    public static readonly TimeSpan BeforeLease = TimeSpan.FromSeconds(3);

    /// <summary>When the last accepted heartbeat was sent.</summary>
    private long AcceptedAt { get; init; }

    /// <summary>Whether a heartbeat of this registration has reported that its lock is held.</summary>
    private bool EverHeld { get; init; }

    /// <summary>Whether other nodes may act on the last accepted heartbeat after the grace period.</summary>
    private bool GraceCounts { get; init; }

    /// <summary>When the first heartbeat since then was sent whose answer is missing, so that it may have been accepted with a held
    /// lock.</summary>
    private long? Doubtful { get; init; }

    /// <summary>The deadline, as a timestamp of the time provider.</summary>
    public long At
    {
        get
        {
            var fromAccepted = AcceptedAt + (GraceCounts ? UntilGrace : UntilLease);
            return Doubtful is { } sent ? Math.Min(fromAccepted, sent + UntilGrace) : fromAccepted;
        }
    }

    private long UntilGrace => Ticks(Grace - BeforeGrace);

    private long UntilLease => Ticks(Lease - BeforeLease);

    /// <summary>Creates the deadline for a store: the grace period applies only if the store uses session locks and a free lock does not
    /// prove death.</summary>
    public static LeaseDeadline For(StoreTraits traits, NodeOptions options, TimeProvider time)
        => new(traits is { UsesSessionLocks: true, LockProvesDeath: false }, options.Lease, options.Grace, time.TimestampFrequency);

    /// <summary>Called before a heartbeat is sent. If the heartbeat reports that the lock is held and its answer is lost, other nodes may
    /// act on it after the grace period.</summary>
    public LeaseDeadline Sending(long sent, bool holdsLock)
        => UsesGrace && holdsLock ? this with { Doubtful = Doubtful ?? sent, EverHeld = true } : this;

    /// <summary>Called when a heartbeat was accepted. The deadline counts from the time it was sent.</summary>
    /// <remarks>Once a registration has reported that it holds its lock, it keeps the grace period's deadline: a heartbeat that was
    /// abandoned with its session may still be executed and report the lock as held again (variant OLD_BEAT_COUNTS of the model, see
    /// docs/protocol/README.md).</remarks>
    public LeaseDeadline Acknowledged(long sent, bool holdsLock)
        => this with
        {
            AcceptedAt = sent,
            GraceCounts = UsesGrace && (holdsLock || EverHeld),
            EverHeld = EverHeld || holdsLock,
            Doubtful = null,
        };

    /// <summary>Called when the server rejected this node in a way that proves that it rejects all connections. A node that connects later
    /// has a new session, which has not seen this node's lock, so the grace period no longer applies.</summary>
    public LeaseDeadline ServerRejectsAll() => this with { GraceCounts = false, Doubtful = null };

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * TicksPerSecond);
}
