using TaskRecovery.Hosting;

namespace TaskRecovery.Testing.Hosts;

/// <summary>Keeps the engine's loops and threads from starting, as in a process that only enqueues.</summary>
internal sealed class ManualRole : INodeRole
{
    public bool Works => false;
}
