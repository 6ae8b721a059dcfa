using System.Reflection;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>A monitor that stores nothing and knows nothing, for a worker without statistics.</summary>
public class SilentMonitor : DispatchProxy
{
    internal static IMonitorStore Create() => Create<IMonitorStore, SilentMonitor>();

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        => targetMethod!.ReturnType == typeof(void) ? null : Activator.CreateInstance(targetMethod.ReturnType);
}
