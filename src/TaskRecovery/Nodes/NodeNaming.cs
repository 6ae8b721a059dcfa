using System.Reflection;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Builds the identity of this process as a node.</summary>
/// <param name="name">The configured name; <see langword="null"/> or blank for the default.</param>
/// <param name="application">The host's application name, if it has one.</param>
/// <param name="description">The versions, queues and kinds of this process.</param>
internal sealed class NodeNaming(string? name, string? application, INodeDescription? description = null)
{
    private readonly int _processId = Environment.ProcessId;
    private readonly long _processStarted = LocalProcess.Started(Environment.ProcessId) ?? 0;

    /// <summary>The identity of the registration with this id.</summary>
    public NodeIdentity Describe(Guid id) => new()
    {
        Id = id,
        Name = string.IsNullOrWhiteSpace(name) ? DefaultName() : name,
        NameIsExplicit = !string.IsNullOrWhiteSpace(name),
        Machine = LocalProcess.Machine,
        ProcessId = _processId,
        ProcessStarted = _processStarted,
        Info = description?.Text,
    };

    private string DefaultName()
        => $"{Environment.MachineName}/{(string.IsNullOrWhiteSpace(application) ? Assembly.GetEntryAssembly()?.GetName().Name
            ?? "unknown" : application)}";
}
