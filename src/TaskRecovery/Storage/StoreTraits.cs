using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The properties of a store on which the engine depends.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record StoreTraits
{
    /// <summary>The store's name in logs and metrics, as OpenTelemetry spells it (<c>postgresql</c>, <c>sqlite</c>).</summary>
    public required string System { get; init; }

    /// <summary>Whether nodes hold session locks. Without them, a node is declared dead only when its lease has expired.</summary>
    public required bool UsesSessionLocks { get; init; }

    /// <summary>Whether a free lock alone proves that its process is dead, as a lock of the operating system does, so that no grace period
    /// is needed. A lost network session is no such proof.</summary>
    public required bool LockProvesDeath { get; init; }

    /// <summary>The interval at which a node polls if it receives no hint.</summary>
    public required TimeSpan PollInterval { get; init; }

    /// <summary>The interval at which a node polls while it has nothing to do and its listener is connected; <see langword="null"/> for
    /// <see cref="PollInterval"/>. Only for a store that reports every change of any process with a hint.</summary>
    public TimeSpan? IdlePollInterval { get; init; }

    /// <summary>The interval of a loop that has nothing to do, which a signal wakes if it has: at least that of idle polls, so that an
    /// idle process wakes up less often.</summary>
    internal TimeSpan WhileIdle(TimeSpan interval) => IdlePollInterval is { } idle && idle > interval ? idle : interval;

    /// <summary>Whether writes are queued inside this process, so that cancelling the token removes a write that has not begun and has no
    /// effect on one that has. If so, the engine passes the lease's token with steps and checkpoints, and a write that is still queued when
    /// the lease is lost is never stored. If the token would reach a database driver instead, the engine passes none.</summary>
    public bool TakesBackQueuedWrites { get; init; }

    /// <summary>Returns whether an open transaction of the application keeps the store's own writes waiting until it ends;
    /// <see langword="null"/> if no transaction does.</summary>
    public Func<System.Data.Common.DbTransaction, bool>? BlocksWrites { get; init; }

    /// <summary>Returns whether an error proves that the server rejects all connections (it is starting up, shutting down or not
    /// listening), so that no other node can take over this node's work. Called once, with the exception that the session threw; the store
    /// inspects the inner exceptions.</summary>
    public Func<Exception, bool> IsServerRejectingAll { get; init; } = static _ => false;
}
