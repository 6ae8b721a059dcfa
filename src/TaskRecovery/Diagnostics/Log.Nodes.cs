using Microsoft.Extensions.Logging;

namespace TaskRecovery.Diagnostics;

/// <summary>Nodes, leases and deaths: 3001 to 3049.</summary>
internal static partial class Log
{
    [LoggerMessage(3001, LogLevel.Information, "Joined as node {Node} ({NodeId}); holds its session lock: {HoldsLock}")]
    public static partial void Joined(this ILogger logger, string node, Guid nodeId, bool holdsLock);

    [LoggerMessage(3002, LogLevel.Warning, "The name {Name} belongs to a living node: joined without a name as {NodeId}. Give each process a NodeName of its own, so that a restarted one takes its own work back at once")]
    public static partial void NameTaken(this ILogger logger, string name, Guid nodeId);

    [LoggerMessage(3003, LogLevel.Information, "Took over from {Count} previous lives of the same name: {NodeIds}")]
    public static partial void TookOver(this ILogger logger, int count, string nodeIds);

    [LoggerMessage(3004, LogLevel.Warning, "The node's session with the store is broken; trying again until it is back")]
    public static partial void SessionBroken(this ILogger logger, Exception exception);

    [LoggerMessage(3005, LogLevel.Information, "The node's session with the store is back after {Failures} failed attempts")]
    public static partial void SessionBack(this ILogger logger, int failures);

    [LoggerMessage(3006, LogLevel.Warning, "Node {NodeId} got no beat through before its own deadline: its handlers' tokens fire, and nothing is started until a beat is accepted")]
    public static partial void LeaseLost(this ILogger logger, Guid nodeId);

    [LoggerMessage(3007, LogLevel.Information, "Node {NodeId} works again")]
    public static partial void LeaseRegained(this ILogger logger, Guid nodeId);

    [LoggerMessage(3008, LogLevel.Warning, "Node {NodeId} was declared dead by others: everything it runs is cancelled, and it joins anew with another id")]
    public static partial void DeclaredDead(this ILogger logger, Guid nodeId);

    [LoggerMessage(3009, LogLevel.Critical, "The database went back in time (a failover or a restore that lost commits): it gave claim {Fence}, of which node {NodeId} has seen a later one, or it has lost that claim. Everything the node runs is cancelled, and it joins anew")]
    public static partial void WentBackInTime(this ILogger logger, Guid nodeId, long fence);

    [LoggerMessage(3010, LogLevel.Warning, "Declared node {Node} ({NodeId}) dead at beat {Beat}")]
    public static partial void DeclaredPeerDead(this ILogger logger, string node, Guid nodeId, long beat);

    [LoggerMessage(3011, LogLevel.Information, "Node {NodeId} has left")]
    public static partial void NodeLeft(this ILogger logger, Guid nodeId);

    [LoggerMessage(3012, LogLevel.Warning, "Node {NodeId} could not say that it leaves: others wait for its lock or its lease")]
    public static partial void LeaveFailed(this ILogger logger, Guid nodeId, Exception? exception);
}
