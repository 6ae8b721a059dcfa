using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>What goes through the store's own code, with no engine around it.</summary>
internal static class StoreFloors
{
    public const string Name = "the store alone";

    /// <summary>Entries to store, all alike.</summary>
    public static NewEntry[] Entries(ChildSpec spec, string queue, int count)
    {
        var args = JsonSerializer.SerializeToUtf8Bytes(BenchmarkArgs.Create(1, 0, spec.ArgsBytes));
        return [.. Enumerable.Repeat(
            new NewEntry { Kind = "benchmark", Queue = queue, Priority = 5, MaxAttempts = 10, Args = args }, count)];
    }
}

/// <summary>Claims and finishes through the store's own code.</summary>
internal sealed class StoreDrainFloor(ChildSpec spec) : IDrainFloor
{
    private const int ClaimsPerRemoval = 20;
    private static readonly SuspectAllowance Suspects = new(3, 0, 0);

    private readonly Guid _node = Guid.NewGuid();
    private IHost? _host;
    private IQueueStore? _store;
    private INodeSession? _session;

    public IQueueStore Store => _store ?? throw new InvalidOperationException("It is not open.");

    public async Task OpenAsync()
    {
        _host = BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        _store = _host.Services.GetRequiredService<IQueueStore>();
        await _store.PrepareAsync(CancellationToken.None);
        _session = _store.OpenNodeSession();
        _session.Register(new NodeIdentity
        {
            Id = _node,
            Name = "floor",
            NameIsExplicit = false,
            Machine = Environment.MachineName,
            ProcessId = Environment.ProcessId,
            ProcessStarted = LocalProcess.Started(Environment.ProcessId) ?? 0,
        });
    }

    public Task DrainAsync(string queue, Action<int> done)
        => Task.WhenAll(Enumerable.Range(0, spec.Parallel).Select(_ => Task.Run(() => DrainOneAsync(CreateClaimer(queue), done))));

    public ValueTask DisposeAsync()
    {
        _session?.Dispose();
        _host?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>A claimer that goes on where it stopped.</summary>
    public IQueueClaimer CreateClaimer(string queue) => Store.CreateClaimer(_node, queue, ["benchmark"]);

    /// <summary>Claims and finishes until nothing is left, or so many are done.</summary>
    public async Task DrainOneAsync(IQueueClaimer claimer, Action<int> done, int limit = int.MaxValue)
    {
        var settled = new List<long>();
        while (limit > 0
            && await claimer.ClaimAsync(Math.Min(limit, spec.Batch), Suspects, CancellationToken.None) is { Entries.Count: > 0 } batch)
        {
            var outcomes = new RunOutcome[batch.Entries.Count];
            for (var i = 0; i < outcomes.Length; i++)
            {
                outcomes[i] = new RunOutcome { EntryId = batch.Entries[i].Id, Fence = batch.Fence, Kind = OutcomeKind.Completed };
            }

            await Store.FinishAsync(_node, outcomes, CancellationToken.None);
            settled.Add(batch.Fence);
            if (settled.Count == ClaimsPerRemoval)
            {
                await Store.RemoveSettledClaimsAsync(_node, settled, CancellationToken.None);
                settled.Clear();
            }

            done(outcomes.Length);
            limit -= outcomes.Length;
        }

        await Store.RemoveSettledClaimsAsync(_node, settled, CancellationToken.None);
    }
}

/// <summary>Stores entries through the store's own code.</summary>
internal sealed class StoreEnqueueFloor(ChildSpec spec) : IEnqueueFloor
{
    private IHost? _host;
    private IQueueStore? _store;

    public async Task OpenAsync()
    {
        _host = BenchmarkHost.Create(spec.Store, spec.ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        _store = _host.Services.GetRequiredService<IQueueStore>();
        await _store.PrepareAsync(CancellationToken.None);
    }

    public Task EnqueueAsync(string queue, double seconds, int count, Action<int> done)
    {
        var entries = StoreFloors.Entries(spec, queue, spec.Batch);
        var left = count == 0 ? int.MaxValue : count;
        var limit = seconds > 0 ? TimeSpan.FromSeconds(seconds) : TimeSpan.MaxValue;
        var started = Stopwatch.GetTimestamp();
        return Task.WhenAll(Enumerable.Range(0, spec.Parallel).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < limit && Interlocked.Add(ref left, -spec.Batch) >= 0)
            {
                await _store!.EnqueueAsync(entries, transaction: null, CancellationToken.None);
                done(spec.Batch);
            }
        })));
    }

    public ValueTask DisposeAsync()
    {
        _host?.Dispose();
        return ValueTask.CompletedTask;
    }
}
