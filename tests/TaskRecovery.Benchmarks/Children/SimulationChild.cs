using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>The lives of many nodes with nothing to do, on the real store: each has a session, sends a heartbeat and polls once a second,
/// watches its peers, and decides whether it would listen for hints. It also looks for work of dead nodes, for claims whose answers were
/// lost, for operations and for what is no longer kept, as often as the library does.</summary>
internal sealed class SimulationChild(ChildSpec spec) : Child, IAsyncDisposable
{
    // Heartbeats block, and each takes a few milliseconds at most.
    private const int Threads = 4;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly NodeOptions Options = new();
    private static readonly TimeSpan OperationInterval = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private readonly MeterListener _meter = new();
    private readonly List<Thread> _threads = [];
    private SimulatedNode[] _nodes = [];
    private Task _calls = Task.CompletedTask;
    private IHost? _host;
    private long _heartbeats;
    private long _polled;
    private long _bytes;
    private long _latest;

    protected override long Count => Interlocked.Read(ref _heartbeats);

    /// <summary>Heartbeats, polls, bytes of all answers, the greatest delay of a heartbeat in milliseconds, and nodes that would
    /// listen.</summary>
    protected override long[][] Times =>
    [
        [
            Count, Interlocked.Read(ref _polled), Interlocked.Read(ref _bytes), Interlocked.Exchange(ref _latest, 0),
            _nodes.Count(static node => node.Listens),
        ],
    ];

    protected override async Task PrepareAsync()
    {
        _meter.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Npgsql" && instrument.Name.EndsWith("bytes_read", StringComparison.Ordinal))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meter.SetMeasurementEventCallback<long>((_, bytes, _, _) => Interlocked.Add(ref _bytes, bytes));
        _meter.Start();
        _host = BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        var store = _host.Services.GetRequiredService<IQueueStore>();
        var operations = _host.Services.GetRequiredService<IOperationStore>();
        await store.PrepareAsync(CancellationToken.None);
        _nodes = [.. Enumerable.Range(0, spec.Parallel).Select(number => new SimulatedNode(
            store, operations, Options, Interval * number / spec.Parallel))];
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (var i = thread; i < _nodes.Length; i += Threads)
                {
                    _nodes[i].Register();
                }
            },
            TaskCreationOptions.LongRunning)));
    }

    protected override async Task GoAsync()
    {
        for (var thread = 0; thread < Threads; thread++)
        {
            var first = thread;
            _threads.Add(new Thread(() => SendHeartbeats(first)) { IsBackground = true });
        }

        _threads.ForEach(static thread => thread.Start());
        await Task.Delay(TimeSpan.FromSeconds(spec.IdleSeconds));
        var random = new Random(1);
        _calls = Task.WhenAll(_nodes.SelectMany(node => Calls(node, random)));
        await _calls.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stopping.IsCancellationRequested)
        {
            await _calls;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _threads.ForEach(static thread => thread.Join());
        await _calls.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var node in _nodes)
        {
            node.Dispose();
        }

        _meter.Dispose();
        _host?.Dispose();
        _stopping.Dispose();
    }

    private void SendHeartbeats(int first)
    {
        var started = Stopwatch.GetTimestamp();
        for (var second = 0; ; second++)
        {
            for (var i = first; i < _nodes.Length; i += Threads)
            {
                var wait = (Interval * second) + _nodes[i].Phase - Stopwatch.GetElapsedTime(started);
                if (wait < -Interval)
                {
                    // As in the library: heartbeats that were missed are not made up for.
                    continue;
                }

                if (_stopping.Token.WaitHandle.WaitOne(wait > TimeSpan.Zero ? wait : TimeSpan.Zero))
                {
                    return;
                }

                _nodes[i].SendHeartbeat();
                Interlocked.Increment(ref _heartbeats);
                var late = (long)(-wait).TotalMilliseconds;
                if (late > Interlocked.Read(ref _latest))
                {
                    Interlocked.Exchange(ref _latest, late);
                }
            }
        }
    }

    // Each call but the poll begins at a time of its own, so that no two loops of all nodes run in step.
    private Task[] Calls(SimulatedNode node, Random random)
    {
        var (reconciles, pace) = (new RecoveryOptions().SweepInterval, StoreLoopServices.MeanIntervals(node.Alive));
        var (sweeps, purges, operations) = (pace * reconciles, pace * new RetentionOptions().Interval, pace * OperationInterval);
        return
        [
            RepeatAsync(
                node.Phase, Interval,
                async token =>
                {
                    await node.PollAsync(token);
                    Interlocked.Increment(ref _polled);
                }),
            RepeatAsync(sweeps * random.NextDouble(), sweeps, node.SweepAsync),
            RepeatAsync(reconciles * random.NextDouble(), reconciles, node.ReconcileAsync),
            RepeatAsync(operations * random.NextDouble(), operations, node.LookForOperationsAsync),
            RepeatAsync(purges * random.NextDouble(), purges, node.PurgeAsync),
        ];
    }

    private async Task RepeatAsync(TimeSpan phase, TimeSpan interval, Func<CancellationToken, Task> call)
    {
        await Task.Delay(phase, _stopping.Token);
        using var timer = new PeriodicTimer(interval);
        do
        {
            await call(_stopping.Token);
        }
        while (await timer.WaitForNextTickAsync(_stopping.Token));
    }
}

/// <summary>One node of a simulation.</summary>
/// <param name="store">The store.</param>
/// <param name="operations">The operations in it.</param>
/// <param name="options">The lease and the grace period.</param>
/// <param name="phase">When it sends its heartbeat, after each full second.</param>
internal sealed class SimulatedNode(IQueueStore store, IOperationStore operations, NodeOptions options, TimeSpan phase) : IDisposable
{
    private static readonly RecoveryOptions Recovery = new();
    private static readonly RetentionOptions Retention = new();

    // The nodes share a store, which removes for one node at a time.
    private static readonly SemaphoreSlim PurgeTurn = new(1, 1);

    private static readonly string[] Queues = [BenchmarkQueues.Measured];
    private static readonly string[] Kinds = ["benchmark"];

    private readonly Guid _id = Guid.NewGuid();
    private readonly INodeSession _session = store.OpenNodeSession();
    private readonly PeerFailureDetector _detector = new(store.Traits, options.Lease, options.Grace, Stopwatch.Frequency);
    private readonly PeerReads _peerReads = new(options);
    private bool _holdsLock;

    public TimeSpan Phase => phase;

    public bool Listens { get; private set; }

    /// <summary>How many nodes its last heartbeat has seen, with itself.</summary>
    public int Alive { get; private set; }

    public void Register() => _holdsLock = _session.Register(new NodeIdentity
    {
        Id = _id,
        Name = "simulated-" + _id.ToString("n"),
        NameIsExplicit = true,
        Machine = LocalProcess.Machine,
        ProcessId = Environment.ProcessId,
        ProcessStarted = LocalProcess.Started(Environment.ProcessId) ?? 0,
    }).HoldsLock;

    public void SendHeartbeat()
    {
        var sent = Stopwatch.GetTimestamp();
        var hints = new HintOffer(Queues, [], 0, EndsTurn: false);
        var result = _peerReads.Next(Alive, decides: false)
            ? _session.SendHeartbeat(_id, _holdsLock, hints: hints) : _session.SendHeartbeatOnly(_id, _holdsLock, hints: hints);
        if (!result.Accepted)
        {
            throw new InvalidOperationException("A simulated node was declared dead.");
        }

        if (!result.HasPeers)
        {
            return;
        }

        Alive = result.Peers.Count + 1;
        Listens = result.Place is not { } place || HintListeners.See(place, result.Peers).Any(static line => line.Listens);
        if (_detector.Observe(sent, Stopwatch.GetTimestamp(), result.Peers).Count > 0)
        {
            throw new InvalidOperationException("A simulated node would declare another one dead.");
        }
    }

    public async Task PollAsync(CancellationToken cancellationToken)
        => await store.PollAsync(new PollRequest(_id, Queues, Kinds, WithUnknownKinds: false) { Claims = [] }, cancellationToken);

    public async Task SweepAsync(CancellationToken cancellationToken)
        => await store.SweepAsync(Recovery.MaxCrashes, audit: null, cancellationToken);

    public async Task ReconcileAsync(CancellationToken cancellationToken) => await store.ListClaimsAsync(_id, cancellationToken);

    public async Task LookForOperationsAsync(CancellationToken cancellationToken)
    {
        await operations.ResumeDueAsync(cancellationToken);
        await operations.ListRunningAsync(cancellationToken);
    }

    public async Task PurgeAsync(CancellationToken cancellationToken)
    {
        await PurgeTurn.WaitAsync(cancellationToken);
        try
        {
            var more = true;
            while (more)
            {
                more = await store.PurgeAsync(Retention, cancellationToken);
            }
        }
        finally
        {
            PurgeTurn.Release();
        }
    }

    public void Dispose() => _session.Dispose();
}
