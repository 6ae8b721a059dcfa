using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Claims and finishes without the engine: the store's statements in a loop.</summary>
internal sealed class DrainFloorChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private readonly IDrainFloor _floor = BenchmarkStores.DrainFloor(spec);
    private long _count;

    protected override long Count => Interlocked.Read(ref _count);

    protected override async Task PrepareAsync()
    {
        await _floor.OpenAsync();
        await WarmUp.UntilCompiledAsync(wave => DrainAsync(BenchmarkQueues.FloorWarmUp(wave)));
        Interlocked.Exchange(ref _count, 0);
    }

    protected override Task GoAsync() => DrainAsync(spec.Queue);

    public ValueTask DisposeAsync() => _floor.DisposeAsync();

    private Task DrainAsync(string queue) => _floor.DrainAsync(queue, done => Interlocked.Add(ref _count, done));
}

/// <summary>Enqueues without the engine.</summary>
internal sealed class EnqueueFloorChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private readonly IEnqueueFloor _floor = BenchmarkStores.EnqueueFloor(spec);
    private long _count;

    protected override long Count => Interlocked.Read(ref _count);

    protected override async Task PrepareAsync()
    {
        await _floor.OpenAsync();
        await WarmUp.UntilCompiledAsync(_ => _floor.EnqueueAsync(BenchmarkQueues.WarmUp, Producer.WarmUpSeconds, 0, _ => { }));
    }

    protected override Task GoAsync()
        => _floor.EnqueueAsync(spec.Queue, spec.Seconds, spec.Count, done => Interlocked.Add(ref _count, done));

    public ValueTask DisposeAsync() => _floor.DisposeAsync();
}
