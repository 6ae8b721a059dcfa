namespace TaskRecovery.Hosting;

/// <summary>What every <see cref="StoreLoop"/> needs.</summary>
/// <param name="Gate">A loop begins when this gate opens.</param>
/// <param name="Role">A loop runs only in a process that runs entries.</param>
/// <param name="Outages">Reports rounds that fail.</param>
/// <param name="Time">The clock for waits.</param>
internal sealed record StoreLoopServices(StartupGate Gate, INodeRole Role, OutageReporter Outages, TimeProvider Time);
