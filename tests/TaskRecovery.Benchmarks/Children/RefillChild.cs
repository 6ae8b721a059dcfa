using System.Diagnostics;
using TaskRecovery.Benchmarks.Stores;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Children;

/// <summary>Adds entries and then works off as many, again and again, so that the backlog stays what it is. Only the working off is
/// timed.</summary>
internal sealed class RefillChild(ChildSpec spec) : Child, IAsyncDisposable
{
    private const int Cycles = 9;
    private readonly StoreDrainFloor _floor = new(spec);
    private readonly List<double> _seconds = [];
    private long _count;

    protected override long Count => _count;

    // Each cycle as the one in the middle: the first ones are the runtime's, and a checkpoint is nobody's.
    protected override double? TimedSeconds => _seconds.Order().ElementAt(_seconds.Count / 2) * _seconds.Count;

    protected override async Task PrepareAsync()
    {
        await _floor.OpenAsync();
        var (entries, claimer) = (Entries(BenchmarkQueues.WarmUp), _floor.CreateClaimer(BenchmarkQueues.WarmUp));
        await WarmUp.UntilCompiledAsync(async _ =>
        {
            await _floor.Store.EnqueueAsync(entries, transaction: null, CancellationToken.None);
            await _floor.DrainOneAsync(claimer, _ => { });
        });
    }

    protected override async Task GoAsync()
    {
        var (entries, claimer) = (Entries(spec.Queue), _floor.CreateClaimer(spec.Queue));
        for (var cycle = 0; cycle < Cycles; cycle++)
        {
            await _floor.Store.EnqueueAsync(entries, transaction: null, CancellationToken.None);
            var started = Stopwatch.GetTimestamp();
            await _floor.DrainOneAsync(claimer, done => _count += done, spec.Count);
            _seconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
    }

    public ValueTask DisposeAsync() => _floor.DisposeAsync();

    private NewEntry[] Entries(string queue) => StoreFloors.Entries(spec, queue, spec.Count);
}
