using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Storage;

namespace TaskRecovery.Nodes;

/// <summary>This process as a node. It has two dedicated threads, so that neither a starved thread pool nor an exhausted connection pool
/// can stop them: one sends heartbeats, and the other checks the deadline while the first is blocked.</summary>
/// <remarks>The node leaves after every hosted service has stopped, so heartbeats continue while running work finishes.</remarks>
internal sealed class NodeService : ICurrentNode, IFleet, INodeEvents, IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan LeaveTime = TimeSpan.FromSeconds(2);

    private readonly StartupGate _gate;
    private readonly NodeSignals _signals;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly NodeAgent _agent;
    private readonly AutoResetEvent _heartbeatDue = new(false);
    private readonly AutoResetEvent _watchNow = new(false);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _draining = Task.CompletedTask;
    private Node? _node;
    private long _watchUntil = long.MaxValue;
    private volatile bool _stopping;
    private volatile bool _leaves;
    private volatile bool _isDrained;
    private bool _started;
    private bool _registered;

    public NodeService(
        IStoreLifecycle store, StartupGate gate, NodeSignals signals, OutageReporter outages,
        IOptions<TaskRecoveryOptions> options, TimeProvider time, ILogger<NodeService> logger,
        IHostEnvironment? environment = null, INodeDescription? description = null, INodeVitals? vitals = null,
        IHintTurns? hints = null)
    {
        _gate = gate;
        _signals = signals;
        _time = time;
        _logger = logger.Guarded();
        var naming = new NodeNaming(options.Value.NodeName, environment?.ApplicationName, description);
        _agent = new NodeAgent(store, this, options.Value.Node, naming.Describe, time, outages, _logger, vitals, hints);
    }

    /// <inheritdoc/>
    public Node? Node => Volatile.Read(ref _node) is { End: null } node ? node : null;

    /// <summary>Set when the process has registered again, after its node was declared dead or the database has lost commits.</summary>
    public Signal RegisteredAgain { get; } = new();

    /// <inheritdoc/>
    public int NodesAlive => _agent.NodesAlive;

    /// <summary>Starts the two threads, unless they were started before or the service is stopping. Called after the store is
    /// prepared.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_started || _stopping)
            {
                return;
            }

            // If the second thread can't be started, the next call starts another watch, which does no harm.
            new Thread(WatchLoop) { IsBackground = true, Name = "TaskRecovery deadline" }.UnsafeStart();
            new Thread(Run) { IsBackground = true, Name = "TaskRecovery heartbeat" }.UnsafeStart();
            _started = true;
        }
    }

    /// <summary>Waits for the first registration.</summary>
    public Task<Node> WaitForNodeAsync(CancellationToken cancellationToken) => WaitAsync(static service => service.Node, cancellationToken);

    /// <inheritdoc/>
    public async Task<NodeLease> WaitForLeaseAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
            var lease = await WaitAsync(static service => service.Node?.Lease, cancellationToken).ConfigureAwait(false);
            if (_gate.IsOpen)
            {
                return lease;
            }
        }
    }

    /// <inheritdoc/>
    public void ReportLostCommits(Node node, long fence)
    {
        if (node.EndWith(NodeEnd.LostCommits))
        {
            _logger.LostCommits(node.Id, fence);
        }

        _heartbeatDue.Set();
    }

    /// <inheritdoc/>
    public void ReportDead(Node node) => _heartbeatDue.Set();

    /// <inheritdoc/>
    public void ReportDraining(Task drained) => Volatile.Write(ref _draining, drained);

    /// <inheritdoc/>
    public void ReportDrained() => _isDrained = true;

    /// <inheritdoc/>
    public void RequestReconcile() => _signals.ReconcileDue.Set();

    void INodeEvents.Registered(Node node)
    {
        if (_registered)
        {
            // Close the gate before the new registration is visible: the database may be a different one.
            _gate.Close();
            RegisteredAgain.Set();
        }

        _registered = true;
        Volatile.Write(ref _node, node);
        Announce();
    }

    void INodeEvents.Changed(Node node, LeaseChange change)
    {
        LogLeaseChange(node, change);
        if (node.Lease?.Deadline is not { } deadline || deadline < Volatile.Read(ref _watchUntil))
        {
            // If the deadline moved later, the watch thread finds that when it wakes at the earlier one.
            _watchNow.Set();
        }
    }

    void INodeEvents.SweepDue() => _signals.SweepDue.Set();

    void INodeEvents.DeadNodeReported() => _signals.ReportDeadNode();

    void INodeEvents.ReconcileDue() => _signals.ReconcileDue.Set();

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => StopAsync(cancellationToken);

    /// <summary>Leaves, once the handlers have stopped, and ends both threads. If the drain has failed, the node does not leave: other
    /// nodes find out by its lock or its lease.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        // A host whose services stop concurrently does not wait for them once its token is cancelled. The drain has limits of its own.
        var drained = Volatile.Read(ref _draining);
        await drained.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // If it has failed, handlers may still run.
        _leaves = drained.IsCompletedSuccessfully;
        EndThreads();
        await _left.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Ends both threads. If neither <see cref="StopAsync"/> nor <see cref="ReportDrained"/> was called before, handlers may still
    /// run, so the node does not leave: other nodes find out by its lock or its lease.</summary>
    public void Dispose()
    {
        _leaves |= _isDrained;
        EndThreads();
        if (_leaves)
        {
            // The store is disposed after this. Leaving is optional, so limit the wait: the store may be unavailable.
            _left.Task.Wait(LeaveTime);
        }
    }

    /// <summary>Checks the deadline once. Tests call this; the thread is not part of the behavior.</summary>
    /// <returns>How long until the next check is due.</returns>
    internal TimeSpan WatchOnce()
    {
        // Until the new deadline has been read, every change of it triggers another check.
        Interlocked.Exchange(ref _watchUntil, long.MaxValue);
        if (Node is not { } node)
        {
            return Timeout.InfiniteTimeSpan;
        }

        LogLeaseChange(node, node.CheckDeadline(out var deadline));
        Volatile.Write(ref _watchUntil, deadline ?? long.MaxValue);
        if (deadline is not { } next)
        {
            return Timeout.InfiniteTimeSpan;
        }

        var wait = _time.GetElapsedTime(_time.GetTimestamp(), next);
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>Does one heartbeat step. Tests call this; the thread is not part of the behavior.</summary>
    internal TimeSpan StepOnce() => _agent.StepOnce();

    private void Run()
    {
        while (!_stopping)
        {
            _heartbeatDue.WaitOne(RoundUp(_agent.StepOnce()));
        }

        if (_leaves)
        {
            _agent.Leave();
        }
        else
        {
            _agent.Abandon();
        }

        _left.TrySetResult();
        _watchNow.Set();
    }

    // Outlives the heartbeat thread, which may be blocked in the store when the deadline passes.
    private void WatchLoop()
    {
        while (!_left.Task.IsCompleted)
        {
            _watchNow.WaitOne(RoundUp(WatchOnce()));
        }
    }

    // Wait handles count whole milliseconds. Round up: waking late costs one wake-up, waking early would spin.
    private static TimeSpan RoundUp(TimeSpan wait)
        => wait <= TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));

    private void LogLeaseChange(Node node, LeaseChange change)
    {
        if (change is LeaseChange.Lost or LeaseChange.LostAndGranted)
        {
            _logger.LeaseLost(node.Id);
            node.HasLostLease = true;
        }

        if (change is LeaseChange.Granted or LeaseChange.LostAndGranted)
        {
            if (node.HasLostLease)
            {
                _logger.LeaseRegained(node.Id);
            }

            Announce();
        }
    }

    private async Task<T> WaitAsync<T>(Func<NodeService, T?> find, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (find(this) is { } found)
                {
                    return found;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Announce()
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.TrySetResult();
    }

    private void EndThreads()
    {
        lock (_lock)
        {
            if (!_started)
            {
                _left.TrySetResult();
            }

            _stopping = true;
        }

        _heartbeatDue.Set();
    }
}
