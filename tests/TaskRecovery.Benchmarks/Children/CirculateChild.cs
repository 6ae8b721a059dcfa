using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>A process that enqueues as many entries as it has worked, so that the number under way stays and it runs as fast as both go
/// together.</summary>
internal sealed class CirculateChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private const int UnderWay = 20_000;
    private readonly WorkLog _log = new(record: false);
    private IHost? _host;

    protected override long Count => _log.Count;

    protected override async Task PrepareAsync()
    {
        _host = BenchmarkHost.Create(
            spec.Store,
            spec.ConnectionString,
            builder =>
            {
                builder.Services.AddSingleton(_log);
                builder.AddQueue(spec.Queue, 100);
                builder.AddQueue(BenchmarkQueues.WarmUp, 100);
                builder.AddWorker<BenchmarkArgs, BenchmarkWorker>();
            },
            TimeSpan.FromSeconds(spec.KeepSeconds));
        await _host.StartAsync();
        await BenchmarkHost.WarmUpAsync(_host, spec with { Queues = [new QueueSpec(BenchmarkQueues.WarmUp)] }, _log);
    }

    protected override async Task GoAsync()
    {
        var queue = _host!.Services.GetRequiredService<IJobQueue>();
        var options = new EnqueueOptions { Queue = spec.Queue };
        for (var stored = 0L; ; stored += spec.Batch)
        {
            while (stored - _log.Count > UnderWay)
            {
                await Task.Delay(1);
            }

            await queue.EnqueueManyAsync(Enumerable.Range(0, spec.Batch).Select(
                number => EnqueueRequest.Create(BenchmarkArgs.Create(stored + number, 0, spec.ArgsBytes), options)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }
    }
}
