using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>A worker process as a user would have it; with a rate or a count it produces too.</summary>
internal sealed class WorkChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private readonly WorkLog _log = new(spec.Record, spec.Steps, spec.Checkpoints);
    private IHost? _host;
    private Producer? _producer;

    protected override long Count => _log.Count;

    protected override long[][] Times
        => spec.Record ? _producer is null ? [_log.Starts] : [_log.Starts, _producer.Called, _producer.Returned] : [];

    protected override async Task PrepareAsync()
    {
        _host = BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder =>
        {
            builder.Services.AddSingleton(_log);
            if (spec.WithoutStatistics)
            {
                builder.Services.Replace(ServiceDescriptor.Singleton(SilentMonitor.Create()));
            }

            builder.AddWorker<BenchmarkArgs, BenchmarkWorker>();
            builder.AddTaskHandler<BenchmarkTaskArgs, BenchmarkTaskHandler>();
            foreach (var queue in spec.Queues)
            {
                builder.AddQueue(queue.Name, queue.Concurrency, queue.Prefetch);
            }
        });
        await _host.StartAsync();
        await BenchmarkHost.WarmUpAsync(_host, spec, _log);
        if (spec.Count > 0)
        {
            var queue = _host.Services.GetRequiredService<IJobQueue>();
            await WarmUp.UntilCompiledAsync(async _ =>
            {
                var before = _log.WarmUps;
                var producer = new Producer(queue, Producer.WarmUpOf(spec), null);
                await producer.RunAsync();
                await _log.WaitForWarmUpsAsync(before + producer.Count);
            });
            _producer = new Producer(queue, spec, null);
        }

        if (spec.IdleSeconds > 0)
        {
            await WarmUp.UntilCompiledAsync(_ => Task.Delay(TimeSpan.FromSeconds(spec.IdleSeconds)));
        }
    }

    protected override Task GoAsync() => _producer?.RunAsync() ?? Task.Delay(Timeout.Infinite);

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }
    }
}
