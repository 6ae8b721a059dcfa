using Microsoft.Extensions.Options;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;

namespace TaskRecovery.Tests.Support;

/// <summary>A node whose heartbeat and deadline are moved by the test instead of by its threads.</summary>
internal sealed class NodeUnderTest
{
    private readonly ManualTimeProvider _time;
    private readonly FakeStore _store;
    private long _nextBeat;

    public NodeUnderTest(FakeStore store, ManualTimeProvider time, string? name = null, Action<TaskRecoveryOptions>? configure = null)
    {
        _store = store;
        _time = time;
        _nextBeat = time.GetTimestamp();
        var options = new TaskRecoveryOptions { NodeName = name ?? Guid.NewGuid().ToString() };
        configure?.Invoke(options);
        Options = Microsoft.Extensions.Options.Options.Create(options);
        Outages = new OutageReporter(time, OutageLog);
        Node = new NodeService(store, Gate, Signals, Outages, Options, time, Log);
    }

    public IOptions<TaskRecoveryOptions> Options { get; }

    public StartupGate Gate { get; } = new();

    public NodeSignals Signals { get; } = new();

    public LogRecorder<NodeService> Log { get; } = new();

    public LogRecorder<OutageReporter> OutageLog { get; } = new();

    public OutageReporter Outages { get; }

    public NodeService Node { get; }

    public Node Life => Node.Node ?? throw new InvalidOperationException("The node has no life.");

    public NodeLease Lease => Life.Lease ?? throw new InvalidOperationException("The node has no lease.");

    public FakeNodeRow Row => _store.Nodes.Rows[Life.Id];

    public FakeNodeSession Session => _store.Nodes.Holder(Life.Id) ?? throw new InvalidOperationException("The node holds no lock.");

    /// <summary>One step now.</summary>
    public TimeSpan Beat()
    {
        var wait = Node.StepOnce();
        _nextBeat = _time.GetTimestamp() + wait.Ticks;
        return wait;
    }

    /// <summary>A step if its time has come, as the thread would do it.</summary>
    public void BeatIfDue()
    {
        if (_time.GetTimestamp() >= _nextBeat)
        {
            Beat();
        }
    }

    /// <summary>The process is killed: the server frees its lock, and it never beats again.</summary>
    public void Kill() => Session.Break();
}

internal static class NodeRuns
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    /// <summary>Lets time pass while these nodes live on, until <paramref name="until"/> holds.</summary>
    /// <returns>How long it took; <see langword="null"/> if it did not happen in time.</returns>
    public static TimeSpan? RunUntil(this ManualTimeProvider time, Func<bool> until, TimeSpan atMost, params NodeUnderTest[] nodes)
    {
        for (var passed = TimeSpan.Zero; passed <= atMost; passed += Tick)
        {
            foreach (var node in nodes)
            {
                node.BeatIfDue();
                node.Node.WatchOnce();
            }

            if (until())
            {
                return passed;
            }

            time.Advance(Tick);
        }

        return null;
    }

    public static void Run(this ManualTimeProvider time, TimeSpan span, params NodeUnderTest[] nodes)
        => time.RunUntil(() => false, span, nodes);

    /// <summary>Waits, in real time, for a token that fires on a thread of its own.</summary>
    public static async Task FiresAsync(this CancellationToken token)
    {
        var fired = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = token.Register(fired.SetResult);
        await fired.Task.WaitAsync(TestContext.Current.CancellationToken);
    }
}
