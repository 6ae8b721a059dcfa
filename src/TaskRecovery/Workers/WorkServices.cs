using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Diagnostics;
using TaskRecovery.Nodes;
using TaskRecovery.Queue;
using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>What the queues of one host share.</summary>
internal sealed class WorkServices(
    IQueueStore store,
    ICurrentNode lives,
    KindRegistry kinds,
    EntryJson json,
    Completer completer,
    SuspectLimiter suspects,
    IServiceScopeFactory scopes,
    IOptions<TaskRecoveryOptions> options,
    Metrics metrics,
    Tracing tracing,
    TimeProvider time,
    ILogger<QueueWorker> logger) : IDisposable
{
    // However many queues there are: so many claims at a time, and so many connections.
    private const int MostClaimsAtOnce = 4;

    private readonly SemaphoreSlim _claims = new(MostClaimsAtOnce);
    private readonly CancellationTokenSource _stopping = new();

    public IQueueStore Store => store;

    public ICurrentNode Lives => lives;

    public KindRegistry Kinds => kinds;

    public Completer Completer => completer;

    public SuspectLimiter Suspects => suspects;

    public IServiceScopeFactory Scopes => scopes;

    public Metrics Metrics => metrics;

    public Tracing Tracing => tracing;

    public TimeProvider Time => time;

    public ILogger Logger { get; } = logger.Guarded();

    /// <summary>Holds back claims of many queues at once.</summary>
    public SemaphoreSlim Claims => _claims;

    public int MaxCrashes => options.Value.Recovery.MaxCrashes;

    public RunServices Run => field ??= new RunServices(store, json, time, options.Value.Recovery.MaxCrashes, options.Value.MaxResultBytes, _stopping.Token);

    /// <summary>Lets every handler know that the host stops; none is cancelled by that.</summary>
    public async Task BeginStoppingAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException)
        {
            // A callback that a handler registered threw; every other callback has run.
        }
    }

    public void Dispose()
    {
        _claims.Dispose();
        _stopping.Dispose();
    }
}
