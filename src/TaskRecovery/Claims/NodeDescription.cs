using System.Reflection;
using Microsoft.Extensions.Options;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>The versions, queues and kinds of this process.</summary>
internal sealed class NodeDescription(KindRegistry kinds, IOptions<TaskRecoveryOptions> options) : INodeDescription
{
    public string Text { get; } = new StoredNodeInfo
    {
        LibraryVersion = VersionOf(typeof(NodeDescription).Assembly),
        ApplicationVersion = VersionOf(Assembly.GetEntryAssembly()),
        HeartbeatInterval = options.Value.Node.HeartbeatInterval,
        Queues = kinds.WorkedKinds.Count == 0 ? []
            : [.. WorkService.ServedQueues(options.Value).Select(static queue => new NodeQueue(queue.Name, queue.Options.Concurrency))],
        Kinds = [.. kinds.WorkedKinds.Order(StringComparer.Ordinal)],
    }.Write();

    // Without the commit, which the compiler appends after a plus.
    private static string? VersionOf(Assembly? assembly)
        => assembly?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
            ?? assembly?.GetName().Version?.ToString();
}
