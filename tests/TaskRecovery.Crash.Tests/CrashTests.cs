using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>Real processes on one store: what the tests of crashes share.</summary>
public abstract class CrashTests(Func<Task<CrashFixture>> open) : IAsyncLifetime
{
    // By default, a node that a busy machine stops for more than two seconds loses what it runs.
    private protected static readonly TimeSpan PatientGrace = TimeSpan.FromSeconds(8);

    private CrashFixture? _fixture;

    /// <summary>The grace period of the nodes on PostgreSQL; null for the default, where a test is about what dies and not about what
    /// lives.</summary>
    private protected virtual TimeSpan? Grace => PatientGrace;

    /// <summary>The lease of the nodes; null for the default.</summary>
    private protected virtual TimeSpan? NodeLease => null;

    protected CrashFixture Fixture => _fixture ?? throw new InvalidOperationException("The fixture was not started.");

    public async ValueTask InitializeAsync()
    {
        _fixture = await open();
        (_fixture.Grace, _fixture.Lease) = (Grace, NodeLease);
    }

    public async ValueTask DisposeAsync()
    {
        await Fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected async Task<IReadOnlyList<ChildProcess>> StartNodesAsync(int count)
        => await Task.WhenAll(
            Enumerable.Range(0, count).Select(_ => Fixture.StartNodeAsync(settings => settings with { Concurrency = 150, Prefetch = 0 })));

    protected async Task<IReadOnlyList<long>> EnqueueAsync<TArgs>(int count, Func<TArgs> args)
        where TArgs : notnull
        => [.. (await Fixture.Queue.EnqueueManyAsync(Enumerable.Range(0, count).Select(_ => EnqueueRequest.Create(args()))))
            .Select(result => result.Id)];

    /// <summary>Waits until so many handlers are between begin and end.</summary>
    protected Task RunningAsync(int count)
        => Until.TrueAsync(
            () =>
            {
                var alive = Fixture.Alive.Select(process => process.Id).ToHashSet();
                return Running(Fixture.ReadJournal().Where(line => alive.Contains(line.ProcessId))).Count() >= count;
            },
            $"{count} entries run");

    /// <summary>Kills the process that runs the most.</summary>
    protected Task<(long KilledAt, IReadOnlyList<long> Interrupted)> KillOneWhileRunningAsync()
        => KillWhileRunningAsync(
            Fixture.Alive.MaxBy(process => Running(Fixture.ReadJournal().Where(line => line.ProcessId == process.Id)).Count())!);

    /// <summary>Kills a process, and insists that it was running something.</summary>
    protected async Task<(long KilledAt, IReadOnlyList<long> Interrupted)> KillWhileRunningAsync(ChildProcess process)
    {
        var killedAt = Stopwatch.GetTimestamp();
        await process.KillAsync();
        var interrupted = Running(Fixture.ReadJournal().Where(line => line.ProcessId == process.Id)).ToList();
        Assert.NotEmpty(interrupted);
        return (killedAt, interrupted);
    }

    protected Task AllCompletedAsync(IReadOnlyList<long> ids)
        => Until.TrueAsync(
            async () =>
            {
                try
                {
                    return await Fixture.Queue.CountAsync() is { Due.Value: 0, Later.Value: 0, Running.Value: 0 } counts
                        && counts.Completed.Value >= ids.Count;
                }
                catch (StoreUnavailableException)
                {
                    // The test has just restarted the server: ask again.
                    return false;
                }
            },
            "every entry has completed",
            TimeSpan.FromMinutes(10));

    /// <summary>Every entry has ended well and once, by its journal too, and the store's own check finds nothing.</summary>
    protected async Task InvariantHoldsAsync(IReadOnlyList<long> ids)
    {
        Assert.Empty(await Fixture.Store.CheckInvariantsAsync(CancellationToken.None));
        foreach (var id in ids)
        {
            Assert.Equal(EntryState.Completed, (await Fixture.Queue.FindAsync(id))?.State);
        }
    }

    protected static IEnumerable<long> Running(IEnumerable<JournalLine> journal)
        => journal
            .Where(line => line.What is JournalEvents.Begin or JournalEvents.End)
            .GroupBy(line => (line.EntryId, line.Fence, line.ProcessId))
            .Where(run => !run.Any(line => line.What == JournalEvents.End))
            .Select(run => run.Key.EntryId);

    protected int Entries(IReadOnlyList<ChildProcess> processes, string what)
        => Fixture.ReadJournal().Where(line => line.What == what
            && processes.Any(process => process.Id == line.ProcessId)).Select(line => line.EntryId).Distinct().Count();
}
