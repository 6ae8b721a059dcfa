using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to work when the process under it dies. Real processes, default options, run on every store.</summary>
public abstract class CrashTests : IAsyncLifetime
{
    private protected static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BeforeTheGrace = TimeSpan.FromSeconds(2.5);

    private CrashFixture? _fixture;

    protected CrashFixture Fixture => _fixture ?? throw new InvalidOperationException("The fixture was not started.");

    public async ValueTask InitializeAsync() => _fixture = await OpenAsync();

    public async ValueTask DisposeAsync()
    {
        await Fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task Work_of_a_killed_process_runs_again_on_others_within_seconds()
    {
        // How long it takes depends on where in its heartbeat a process is killed: one kill is one sample. How fast it is on a quiet machine is for the chaos program to say;
        // here the limit only tells the grace period from the lease.
        await StartNodesAsync(2);
        var ids = new List<long>();
        var delays = new List<double>();
        for (var kill = 0; kill < 3; kill++)
        {
            await StartNodesAsync(1);
            ids.AddRange(await EnqueueAsync(200, () => new PlainProbe(HoldMs: 3_000)));
            await RunningAsync(200);

            var (killedAt, interrupted) = await KillOneWhileRunningAsync();
            await AllCompletedAsync(ids);

            delays.AddRange(DelaysUntilRunAgain(interrupted, killedAt));
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{delays.Count} entries ran again after {Median(delays):0.00} s in the median, {delays.Max():0.00} s at most");
        Assert.InRange(delays.Max(), 0, LongestAfterKill.TotalSeconds);
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task A_restarted_instance_does_not_wait_for_its_former_self_to_be_found_dead()
    {
        var node = await Fixture.StartNodeAsync(settings => settings with { NodeName = "only", Concurrency = 100 });
        var ids = new List<long>();
        var delays = new List<double>();
        for (var restart = 0; restart < 3; restart++)
        {
            ids.AddRange(await EnqueueAsync(60, () => new PlainProbe(HoldMs: 2_000)));
            await RunningAsync(60);

            var (killedAt, interrupted) = await KillWhileRunningAsync(node);
            node = await Fixture.StartNodeAsync(settings => settings with { NodeName = "only", Concurrency = 100 });
            await AllCompletedAsync(ids);

            var started = Fixture.ReadJournal().Single(line => line.ProcessId == node.Id && line.What == JournalEvents.Started).At;
            delays.Add(DelaysUntilRunAgain(interrupted, killedAt).Max() - Stopwatch.GetElapsedTime(killedAt, started).TotalSeconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"went on {string.Join(", ", delays.Select(delay => $"{delay:0.00}"))} s after its start");
        Assert.True(Median(delays) < BeforeTheGrace.TotalSeconds, $"went on {Median(delays):0.00} s after its start, when any other node could have");
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task Steps_that_had_finished_are_not_run_again()
    {
        await StartNodesAsync(3);
        var ids = await EnqueueAsync(60, () => new StepsProbe(Steps: 10, HoldMs: 300));
        await Until.TrueAsync(() => Fixture.ReadJournal().Count(line => line.What == JournalEvents.StepStored) > 150, "150 steps were stored");

        await KillOneWhileRunningAsync();
        await AllCompletedAsync(ids);

        var storedTwice = Fixture.ReadJournal()
            .Where(line => line.What == JournalEvents.StepStored)
            .GroupBy(line => (line.EntryId, line.Detail))
            .Where(group => group.Count() > 1);
        Assert.Empty(storedTwice);
        await InvariantHoldsAsync(ids);
    }

    [Theory]
    [InlineData("handler.started")]
    [InlineData("handler.finished")]
    [InlineData("claim.before_commit")]
    [InlineData("claim.committed")]
    [InlineData("flush.middle")]
    public async Task Work_survives_a_kill_at(string faultPoint)
    {
        var doomed = await Fixture.StartNodeAsync(settings => settings with { DieAt = faultPoint, DieAfter = 2, Concurrency = 10, Prefetch = 0 });
        var ids = await EnqueueAsync(200, () => new PlainProbe(HoldMs: 50));
        Assert.NotEqual(0, await doomed.WaitForExitAsync());

        await Fixture.StartNodeAsync();
        await Fixture.StartNodeAsync();
        await AllCompletedAsync(ids);

        await InvariantHoldsAsync(ids);
    }

    [Theory]
    [InlineData("claim.before_commit")]
    [InlineData("claim.committed")]
    [InlineData("handler.started")]
    public async Task What_a_process_stored_itself_survives_its_kill_at(string faultPoint)
    {
        var doomed = await Fixture.StartNodeAsync(settings => settings with { DieAt = faultPoint, DieAfter = 40, EnqueueEvery = TimeSpan.FromMilliseconds(10) });
        Assert.NotEqual(0, await doomed.WaitForExitAsync());
        long[] ids = [.. Fixture.ReadJournal().Where(line => line.What == JournalEvents.Acknowledged).Select(line => line.EntryId)];

        await Fixture.StartNodeAsync();
        await AllCompletedAsync(ids);

        Assert.NotEmpty(ids);
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task A_stopped_process_that_wakes_after_its_lease_changes_nothing()
    {
        var stopped = await Fixture.StartNodeAsync(settings => settings with { NodeName = "sleeper", Concurrency = 20 });
        var deaf = await EnqueueAsync(10, () => new PlainProbe(HoldMs: 25_000, IsUnresponsive: true));

        // So short are the rounds that it is stopped with calls of the store under way: their answers are there when it wakes.
        var looping = await EnqueueAsync(10, () => new CheckpointProbe(Rounds: 1_500, HoldMs: 5));
        await RunningAsync(20);
        var others = await StartNodesAsync(2);

        await StopAsync(stopped);
        var stoppedAt = Stopwatch.GetTimestamp();
        await Until.TrueAsync(() => Entries(others, JournalEvents.Begin) >= 20, "the others began all of it", Lease + TimeSpan.FromSeconds(30));
        var taken = Stopwatch.GetElapsedTime(stoppedAt);
        await Until.TrueAsync(() => Entries(others, JournalEvents.StepStored) >= 10, "the others went on with every checkpoint");
        stopped.Send(Signal.Continue);
        await AllCompletedAsync([.. deaf, .. looping]);

        Assert.InRange(taken.TotalSeconds, 0, Lease.TotalSeconds + 5);
        await Until.TrueAsync(
            () => Fixture.ReadJournal().Where(line => line.ProcessId == stopped.Id && line.What is JournalEvents.Token or JournalEvents.Refused).Select(line => line.EntryId).Distinct().Count() >= 20,
            "the stopped process was told, when it woke, that everything it ran was lost");
        foreach (var id in deaf)
        {
            Assert.NotEqual("sleeper", (await Fixture.Queue.FindAsync(id))!.Node);
        }

        Assert.DoesNotContain(
            Fixture.ReadJournal().Where(line => line.What is JournalEvents.StepBegin or JournalEvents.StepStored).GroupBy(line => (line.EntryId, line.Detail)),
            round => round.SkipWhile(line => line.What != JournalEvents.StepStored).Any(line => line.What == JournalEvents.StepBegin));
        await InvariantHoldsAsync([.. deaf, .. looping]);
    }

    [Fact]
    public async Task A_poisonous_entry_among_a_thousand_of_one_claim_ends_alone()
    {
        var innocent = await EnqueueAsync(999, () => new PlainProbe(HoldMs: 300));
        var poison = (await Fixture.Queue.EnqueueAsync(new PoisonProbe(HoldMs: 150), new EnqueueOptions { Priority = 0 })).Id;

        var limit = Stopwatch.StartNew();
        while ((await Fixture.Queue.FindAsync(poison))!.State is EntryState.Waiting or EntryState.Running)
        {
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(3), "the poisonous entry has not ended after three minutes");
            var node = await Fixture.StartNodeAsync(settings => settings with { NodeName = "victim", Concurrency = 1_000 });
            await node.WaitForExitAsync(TimeSpan.FromSeconds(30)).ContinueWith(_ => { }, TaskScheduler.Default);
            if ((await Fixture.Queue.CountAsync()) is { Waiting.Value: 0, Running.Value: 0 })
            {
                break;
            }
        }

        await AllCompletedAsync(innocent);
        var ended = (await Fixture.Queue.FindAsync(poison))!;
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), (ended.State, ended.Reason));
        var firstClaim = Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin).GroupBy(line => line.Fence).First();
        Assert.Equal(1_000, firstClaim.Count());
        await InvariantHoldsAsync(innocent);
    }

    [Fact]
    public async Task A_graceful_stop_gives_work_back_without_attempt_or_crash()
    {
        var leaving = await Fixture.StartNodeAsync(settings => settings with { ShutdownTimeout = TimeSpan.FromMilliseconds(200) });
        var ids = await EnqueueAsync(40, () => new PlainProbe(HoldMs: 5000));
        await RunningAsync(20);

        leaving.Send(Signal.Terminate);
        Assert.Equal(0, await leaving.WaitForExitAsync());
        var left = await Task.WhenAll(ids.Select(async id => (await Fixture.Queue.FindAsync(id))!));

        Assert.All(left, entry => Assert.Equal((EntryState.Waiting, 0, 0), (entry.State, entry.Attempt, entry.Crashes)));
        await Fixture.StartNodeAsync(settings => settings with { Concurrency = 40 });
        await AllCompletedAsync(ids);
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task Effects_in_the_workers_own_transaction_exist_once()
    {
        await StartNodesAsync(3);
        var ids = await EnqueueAsync(TransactionEntries, () => new TransactionProbe(HoldMs: 200));
        await Until.TrueAsync(() => Fixture.ReadJournal().Count(line => line.What == JournalEvents.Done) > 20, "some are done");

        await KillOneWhileRunningAsync();
        await AllCompletedAsync(ids);

        Assert.Equal(ids.Order(), (await ReadEffectsAsync()).Order());
        await InvariantHoldsAsync(ids);
    }

    /// <summary>How long after a kill work may take to run again: well below the lease, for a busy machine.</summary>
    protected abstract TimeSpan LongestAfterKill { get; }

    /// <summary>How many entries have a transaction of their own in the test of those.</summary>
    protected virtual int TransactionEntries => 200;

    protected abstract Task<CrashFixture> OpenAsync();

    /// <summary>Stops a process where it stands.</summary>
    protected virtual Task StopAsync(ChildProcess process)
    {
        process.Send(Signal.Stop);
        return Task.CompletedTask;
    }

    protected abstract Task<IReadOnlyList<long>> ReadEffectsAsync();

    protected async Task<IReadOnlyList<ChildProcess>> StartNodesAsync(int count)
        => await Task.WhenAll(Enumerable.Range(0, count).Select(_ => Fixture.StartNodeAsync(settings => settings with { Concurrency = 150, Prefetch = 0 })));

    protected async Task<IReadOnlyList<long>> EnqueueAsync<TArgs>(int count, Func<TArgs> args)
        where TArgs : notnull
        => [.. (await Fixture.Queue.EnqueueManyAsync(Enumerable.Range(0, count).Select(_ => EnqueueRequest.Create(args())))).Select(result => result.Id)];

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
        => KillWhileRunningAsync(Fixture.Alive.MaxBy(process => Running(Fixture.ReadJournal().Where(line => line.ProcessId == process.Id)).Count())!);

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
                    return await Fixture.Queue.CountAsync() is { Waiting.Value: 0, Scheduled.Value: 0, Running.Value: 0 } counts && counts.Completed.Value >= ids.Count;
                }
                catch (StoreUnavailableException)
                {
                    // The test has just restarted the server: ask again.
                    return false;
                }
            },
            "every entry has completed",
            TimeSpan.FromSeconds(120));

    /// <summary>Every entry has ended well and once, by its journal too, and the store's own check finds nothing.</summary>
    protected async Task InvariantHoldsAsync(IReadOnlyList<long> ids)
    {
        Assert.Empty(await Fixture.Store.CheckInvariantsAsync(CancellationToken.None));
        foreach (var id in ids)
        {
            Assert.Equal(EntryState.Completed, (await Fixture.Queue.FindAsync(id))?.State);
        }
    }

    private static IEnumerable<long> Running(IEnumerable<JournalLine> journal)
        => journal
            .Where(line => line.What is JournalEvents.Begin or JournalEvents.End)
            .GroupBy(line => (line.EntryId, line.Fence, line.ProcessId))
            .Where(run => !run.Any(line => line.What == JournalEvents.End))
            .Select(run => run.Key.EntryId);

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private int Entries(IReadOnlyList<ChildProcess> processes, string what)
        => Fixture.ReadJournal().Where(line => line.What == what && processes.Any(process => process.Id == line.ProcessId)).Select(line => line.EntryId).Distinct().Count();

    private List<double> DelaysUntilRunAgain(IReadOnlyList<long> interrupted, long since)
    {
        var begins = Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin).ToLookup(line => line.EntryId);
        return [.. interrupted.Select(id => Stopwatch.GetElapsedTime(since, begins[id].First(line => line.At > since).At).TotalSeconds)];
    }
}
