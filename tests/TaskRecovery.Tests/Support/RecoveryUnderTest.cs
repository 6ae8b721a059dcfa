using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Recovery;
using TaskRecovery.Startup;

namespace TaskRecovery.Tests.Support;

/// <summary>Recovery over a store in memory.</summary>
internal sealed class RecoveryUnderTest : IDisposable
{
    public RecoveryUnderTest(Action<TaskRecoveryOptions>? configure = null)
    {
        Jobs = new FakeJobStore(Store);
        Node = new NodeUnderTest(Store, Time, configure: configure);
        Metrics = new Metrics(time: Time);
        Recoverer = new TaskRecoverer(Store, Jobs, Waker, Metrics, Node.Options, Log);
    }

    public ManualTimeProvider Time { get; } = new();

    public FakeStore Store { get; } = new();

    public FakeJobStore Jobs { get; }

    public NodeUnderTest Node { get; }

    public LogRecorder<OutageReporter> OutageLog => Node.OutageLog;

    public StoreLoopServices Loops => field ??= new StoreLoopServices(Node.Gate, Role, Node.Outages, Time);

    public FakeWaker Waker { get; } = new();

    public FakeRole Role { get; } = new();

    public Metrics Metrics { get; }

    public LogRecorder<TaskRecoverer> Log { get; } = new();

    public TaskRecoverer Recoverer { get; }

    public JobPlanner Planner => field ??= new JobPlanner(Jobs, Time, new LogRecorder<JobPlanner>());

    public List<IStartupStep> Steps { get; } = [];

    public LogRecorder<StartupRecovery> StartupLog { get; } = new();

    public StartupRecovery NewStartup()
        => new(Store, Planner, Node.Node, Recoverer, Steps, Node.Gate, Role, Node.Options, Time, StartupLog);

    public void Dispose()
    {
        Node.Node.Dispose();
        Metrics.Dispose();
    }

    public static RecoveryReport Report(RecoveryAction action, Guid? taskId = null, string? reason = null, bool nodeDied = true)
        => new([new RecoveryItem { Action = action, EntryId = 4, TaskId = taskId,
            Kind = "mail", Node = "dead", NodeDied = nodeDied, Crashes = 1, Reason = reason }]);
}

internal sealed class FakeWaker : IClaimWaker
{
    public int Wakes { get; private set; }

    public void WakeAll() => Wakes++;
}

internal sealed class FakeRole : INodeRole
{
    public bool Works { get; set; } = true;
}

internal sealed class RecordedStep(FakeStore store, string name) : IStartupStep
{
    public bool IsIncomplete { get; set; }

    public Task RunAsync(CancellationToken cancellationToken)
    {
        store.Record(name);
        return Task.CompletedTask;
    }

    public Task CompleteAsync(CancellationToken cancellationToken)
    {
        store.Record($"complete: {name}");
        return Task.CompletedTask;
    }
}
