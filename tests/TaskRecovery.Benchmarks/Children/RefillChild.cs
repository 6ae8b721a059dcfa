using System.Diagnostics;
using System.Text.Json;
using TaskRecovery.Benchmarks.Stores;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Adds entries and then works off as many, again and again, so that the backlog stays what it is. Only the working off is timed.</summary>
internal sealed class RefillChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private const int Cycles = 6;
    private readonly StoreDrainFloor _floor = new(spec);
    private readonly Stopwatch _timed = new();
    private long _count;

    protected override long Count => _count;

    protected override double? TimedSeconds => _timed.Elapsed.TotalSeconds;

    protected override async Task PrepareAsync()
    {
        await _floor.OpenAsync();
        await _floor.DrainAsync(BenchmarkQueues.WarmUp, _ => { });
    }

    protected override async Task GoAsync()
    {
        var args = JsonSerializer.SerializeToUtf8Bytes(BenchmarkArgs.Create(1, 0, spec.ArgsBytes));
        NewEntry[] entries = [.. Enumerable.Repeat(new NewEntry { Kind = "benchmark", Queue = spec.Queue, Priority = 5, MaxAttempts = 10, Args = args }, spec.Count)];
        var claimer = _floor.CreateClaimer(spec.Queue);
        for (var cycle = 0; cycle < Cycles; cycle++)
        {
            await _floor.Store.EnqueueAsync(entries, transaction: null, CancellationToken.None);
            _timed.Start();
            await _floor.DrainOneAsync(claimer, done => _count += done, spec.Count);
            _timed.Stop();
        }
    }

    public ValueTask DisposeAsync() => _floor.DisposeAsync();
}
