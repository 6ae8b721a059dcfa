using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Claims;
using TaskRecovery.Kinds;
using TaskRecovery.Queue;
using TaskRecovery.Workers;

namespace TaskRecovery.Benchmarks.InProcess;

/// <summary>What stands between a claim and a handler.</summary>
[MemoryDiagnoser]
public class ExecutionBenchmarks
{
    private static readonly byte[] Args = System.Text.Encoding.UTF8.GetBytes(
        """{"number":12345,"milliseconds":0,"text":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}""");

    private readonly EntryJson _json = new(
        Options.Create(new TaskRecoveryOptions()), new PayloadCodecs([], new ServiceCollection().BuildServiceProvider()));
    private readonly BenchmarkArgs _args = BenchmarkArgs.Create(12_345, 0, 100);
    private ServiceProvider? _services;

    [GlobalSetup]
    public void SetUp()
    {
        var services = new ServiceCollection();
        services.AddSingleton(new WorkLog(record: false));
        services.AddScoped<BenchmarkWorker>();
        _services = services.BuildServiceProvider();
    }

    [Benchmark]
    public byte[] Write_arguments() => _json.Write(_args);

    [Benchmark]
    public object Read_arguments() => EntryArgs.Read<BenchmarkArgs>(_json, "benchmark", Args);

    [Benchmark]
    public object Scope_and_worker()
    {
        using var scope = _services!.CreateScope();
        return scope.ServiceProvider.GetRequiredService<BenchmarkWorker>();
    }

    [Benchmark]
    public int Plan_a_claim() => ClaimPlan.Limit(100, ClaimPlan.Prefetch(null, 50_000), 90, 500);
}
