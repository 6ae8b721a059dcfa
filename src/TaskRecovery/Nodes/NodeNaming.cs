using System.Reflection;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>Says who this process is.</summary>
/// <param name="name">The name that the user gave, if any.</param>
/// <param name="application">The host's application name, if it has one.</param>
internal sealed class NodeNaming(string? name, string? application)
{
    private readonly int _processId = Environment.ProcessId;
    private readonly long _processStarted = LocalProcess.Started(Environment.ProcessId) ?? 0;

    /// <summary>The identity of a life with this id.</summary>
    public NodeIdentity Describe(Guid id) => new()
    {
        Id = id,
        Name = string.IsNullOrWhiteSpace(name) ? DefaultName() : name,
        NameIsExplicit = !string.IsNullOrWhiteSpace(name),
        Machine = LocalProcess.Machine,
        ProcessId = _processId,
        ProcessStarted = _processStarted,
    };

    private string DefaultName()
        => $"{Environment.MachineName}/{(string.IsNullOrWhiteSpace(application) ? Assembly.GetEntryAssembly()?.GetName().Name ?? "unknown" : application)}";
}
