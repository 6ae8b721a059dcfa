using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;

namespace TaskRecovery.Claims;

/// <summary>Whether this process runs entries: it has a worker and a queue to serve.</summary>
internal sealed class WorkRole(KindRegistry kinds, IOptions<TaskRecoveryOptions> options) : INodeRole
{
    public bool Works { get; } = kinds.WorkedKinds.Count > 0 && WorkService.ServedQueues(options.Value).Any();
}
