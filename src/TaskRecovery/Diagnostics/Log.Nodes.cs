using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>Messages about nodes, leases and dead nodes: 3001 to 3049.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "Joined as node {Node} ({NodeId}); holds its session lock: {HoldsLock}")]
    public static partial void Joined(this ILogger logger, string node, Guid nodeId, bool holdsLock);

    [LoggerMessage(3002, LogLevel.Warning,
        "The name {Name} belongs to a living node, so this process joined without a name as {NodeId}. Give each process a NodeName of its "
        + "own: then a restarted process takes over the work of its earlier node at once")]
    public static partial void NameTaken(this ILogger logger, string name, Guid nodeId);

    [LoggerMessage(3003, LogLevel.Information, "Took over the work of earlier nodes of this name ({Count}): {NodeIds}")]
    public static partial void TookOver(this ILogger logger, int count, string nodeIds);

    [LoggerMessage(3006, LogLevel.Warning,
        "Node {NodeId} could not renew its lease in time: its running handlers are being cancelled, "
        + "and nothing starts until a heartbeat succeeds")]
    public static partial void LeaseLost(this ILogger logger, Guid nodeId);

    [LoggerMessage(3007, LogLevel.Information, "Node {NodeId} has a lease again and starts work")]
    public static partial void LeaseRegained(this ILogger logger, Guid nodeId);

    [LoggerMessage(3008, LogLevel.Warning,
        "Another node declared node {NodeId} dead: the tokens of its handlers are cancelled, nothing that they store is accepted, "
        + "and this process registers again under a new id. If this happens often, the process is paused, the machine is short of CPU or "
        + "memory, or the database answers slowly")]
    public static partial void DeclaredDead(this ILogger logger, Guid nodeId);

    [LoggerMessage(3009, LogLevel.Critical,
        "The database has lost commits, for example in a failover or a restore: it does not have claim {Fence}, or gave out that number "
        + "although node {NodeId} has seen it or a later one. The tokens of its handlers are cancelled, and this process registers again "
        + "under a new id. Find out what was lost")]
    public static partial void LostCommits(this ILogger logger, Guid nodeId, long fence);

    [LoggerMessage(3010, LogLevel.Warning, "Declared node {Node} ({NodeId}) dead, because {Proof}; its last heartbeat was {Heartbeat}")]
    public static partial void DeclaredPeerDead(this ILogger logger, string node, Guid nodeId, string proof, long heartbeat);

    [LoggerMessage(3011, LogLevel.Information, "Node {NodeId} has left")]
    public static partial void NodeLeft(this ILogger logger, Guid nodeId);

    [LoggerMessage(3012, LogLevel.Warning, "Node {NodeId} could not record that it leaves: other nodes take its work when its lock is "
        + "free or its lease is over")]
    public static partial void LeaveFailed(this ILogger logger, Guid nodeId, Exception? exception);
}
