using TaskRecovery.Hosting;

namespace TaskRecovery.Monitoring;

/// <summary>Wakes the work on bulk operations when one was started in this process.</summary>
internal sealed class OperationSignal
{
    /// <summary>Set when an operation was started.</summary>
    public Signal Started { get; } = new();
}
