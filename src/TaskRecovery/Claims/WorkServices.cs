using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Hosting;
using TaskRecovery.Kinds;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;
using TaskRecovery.Workers;

namespace TaskRecovery.Claims;

/// <summary>The services that all queues of one host share.</summary>
internal sealed class WorkServices(
    IEntryStore store,
    IStoreSignals signals,
    ICurrentNode currentNode,
    KindRegistry kinds,
    KindRunners runners,
    EntryJson json,
    OwnTransaction own,
    OutcomeSink outcomes,
    ProgressWriter progress,
    SuspectLimiter suspects,
    HintTurns turns,
    ApplicationServices application,
    IOptions<TaskRecoveryOptions> options,
    OutageReporter outages,
    Metrics metrics,
    Tracing tracing,
    RunLogs logs,
    TimeProvider time,
    ILogger<QueueWorker> logger,
    IRunObserver? observer = null,
    IRunInfoStore? info = null,
    WorkLimits? limits = null,
    InstanceName? instance = null) : IDisposable
{
    // Limits concurrent claims, and so their connections, whatever the number of queues.
    private const int MostClaimsAtOnce = 4;

    private readonly SemaphoreSlim _claims = new(MostClaimsAtOnce);
    private readonly CancellationTokenSource _stopping = new();

    public IEntryStore Store => store;

    public IStoreSignals Signals => signals;

    public ICurrentNode CurrentNode => currentNode;

    public KindRegistry Kinds => kinds;

    public KindRunners Runners => runners;

    /// <summary>Receives how claimed entries end.</summary>
    public OutcomeSink Outcomes => outcomes;

    /// <summary>Reports loops that fail.</summary>
    public OutageReporter Outages => outages;

    public SuspectLimiter Suspects => suspects;

    /// <summary>Whether this node listens for hints.</summary>
    public HintTurns Turns => turns;

    /// <summary>Creates the scopes in which workers run.</summary>
    public IServiceScopeFactory Scopes => application.Scopes;

    public Metrics Metrics => metrics;

    public Tracing Tracing => tracing;

    /// <summary>The logs of runs that keep theirs.</summary>
    public RunLogs Logs => logs;

    public TimeProvider Time => time;

    public WorkLimits Limits { get; } = limits ?? new WorkLimits();

    public ILogger Logger { get; } = logger.Guarded();

    /// <summary>How long the poll loop waits.</summary>
    public PollPace Polls { get; } = new(store.Traits);

    /// <summary>Limits concurrent claims over all queues.</summary>
    public SemaphoreSlim Claims => _claims;

    public RunServices Run
        => field ??= new RunServices(
            store, progress, json, own, time, options.Value.MaxResultBytes, _stopping.Token, observer)
        { Info = info, Instance = instance?.Value };

    /// <summary>Notifies every handler that the host is stopping, without cancelling its token.</summary>
    /// <returns>Completes when every callback that handlers registered has returned. They run one after the other.</returns>
    public async Task BeginStoppingAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException)
        {
            // A callback that a handler registered threw; all other callbacks have run.
        }
    }

    public void Dispose()
    {
        _claims.Dispose();
        _stopping.Dispose();
    }
}
