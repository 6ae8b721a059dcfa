using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Many nodes in one process, each with the library as users add it. It reports when entries started, and how many each node
/// started.</summary>
internal sealed class FleetChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private const int StartedTogether = 8;

    private readonly WorkLog _log = new(spec.Record);
    private readonly List<(IHost Host, NodeCount Count)> _nodes = [];

    protected override long Count => _log.Count;

    protected override long[][] Times => [_log.Starts, [.. _nodes.Select(static node => node.Count.Started)]];

    protected override async Task PrepareAsync()
    {
        while (_nodes.Count < spec.Parallel)
        {
            var some = Enumerable.Range(0, Math.Min(StartedTogether, spec.Parallel - _nodes.Count)).Select(_ => Create()).ToArray();
            _nodes.AddRange(some);
            await Task.WhenAll(some.Select(static node => node.Host.StartAsync()));
        }
    }

    protected override Task GoAsync() => Task.Delay(Timeout.Infinite);

    public async ValueTask DisposeAsync()
        => await Task.WhenAll(_nodes.Select(static async node =>
        {
            await node.Host.StopAsync();
            node.Host.Dispose();
        }));

    private (IHost Host, NodeCount Count) Create()
    {
        var count = new NodeCount();
        return (
            BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder =>
            {
                builder.Services.AddSingleton(_log);
                builder.Services.AddSingleton(count);
                builder.AddWorker<BenchmarkArgs, FleetWorker>();
                foreach (var queue in spec.Queues)
                {
                    builder.AddQueue(queue.Name, queue.Concurrency, queue.Prefetch);
                }
            }),
            count);
    }
}

/// <summary>How many entries a node has started.</summary>
internal sealed class NodeCount
{
    private long _started;

    public long Started => Interlocked.Read(ref _started);

    public void Add() => Interlocked.Increment(ref _started);
}

/// <summary>Does nothing, for as long as the entry says, and counts for its node.</summary>
internal sealed class FleetWorker(WorkLog log, NodeCount count) : IJobWorker<BenchmarkArgs>
{
    public Task WorkAsync(WorkContext<BenchmarkArgs> context, CancellationToken cancellationToken)
    {
        log.Started(context.Args.Number);
        count.Add();
        return context.Args.Milliseconds > 0 ? Task.Delay(context.Args.Milliseconds, cancellationToken) : Task.CompletedTask;
    }
}
