using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to work when the process under it dies. Real processes, default options, run on every store.</summary>
public abstract class CrashTests : CrashStories
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BeforeTheGrace = TimeSpan.FromSeconds(2.5);

    [Fact]
    public async Task Work_of_a_killed_process_runs_again_on_others_within_seconds()
    {
        // How long it takes depends on where in its beat a process is killed: one kill is one sample. How fast it is on a quiet machine is for the chaos program to say;
        // here the limit only tells the grace from the lease.
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
        await TheLawHoldsAsync(ids);
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
        await TheLawHoldsAsync(ids);
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
        await TheLawHoldsAsync(ids);
    }

    [Fact]
    public async Task A_stopped_process_that_wakes_after_its_lease_changes_nothing()
    {
        var stopped = await Fixture.StartNodeAsync(settings => settings with { NodeName = "sleeper", Concurrency = 20 });
        var deaf = await EnqueueAsync(10, () => new PlainProbe(HoldMs: 25_000, IsDeaf: true));
        var looping = await EnqueueAsync(10, () => new CheckpointProbe(Rounds: 20, HoldMs: 500));
        await RunningAsync(20);
        var others = await StartNodesAsync(2);

        await StopAsync(stopped);
        var stoppedAt = Stopwatch.GetTimestamp();
        await Until.TrueAsync(() => Began(others, 20), "the others began all of it", Lease + TimeSpan.FromSeconds(30));
        var taken = Stopwatch.GetElapsedTime(stoppedAt);
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

        await TheLawHoldsAsync([.. deaf, .. looping]);
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
        await TheLawHoldsAsync(ids);
    }

    [Fact]
    public async Task Effects_in_the_workers_own_transaction_exist_once()
    {
        await StartNodesAsync(3);
        var ids = await EnqueueAsync(200, () => new TransactionProbe(HoldMs: 200));
        await Until.TrueAsync(() => Fixture.ReadJournal().Count(line => line.What == JournalEvents.Done) > 20, "some are done");

        await KillOneWhileRunningAsync();
        await AllCompletedAsync(ids);

        Assert.Equal(ids.Order(), (await ReadEffectsAsync()).Order());
        await TheLawHoldsAsync(ids);
    }

    /// <summary>How long after a kill work may take to run again: well below the lease, for a busy machine.</summary>
    protected abstract TimeSpan LongestAfterKill { get; }

    /// <summary>Stops a process where it stands.</summary>
    protected virtual Task StopAsync(ChildProcess process)
    {
        process.Send(Signal.Stop);
        return Task.CompletedTask;
    }

    protected abstract Task<IReadOnlyList<long>> ReadEffectsAsync();

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private bool Began(IReadOnlyList<ChildProcess> processes, int count)
        => Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin && processes.Any(process => process.Id == line.ProcessId)).Select(line => line.EntryId).Distinct().Count() >= count;

    private List<double> DelaysUntilRunAgain(IReadOnlyList<long> interrupted, long since)
    {
        var begins = Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin).ToLookup(line => line.EntryId);
        return [.. interrupted.Select(id => Stopwatch.GetElapsedTime(since, begins[id].First(line => line.At > since).At).TotalSeconds)];
    }
}
