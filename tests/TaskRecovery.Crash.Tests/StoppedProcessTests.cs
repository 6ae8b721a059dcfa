using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to work when a process is stopped, for a while or for good. Run on both stores.</summary>
public abstract class StoppedProcessTests(Func<Task<CrashFixture>> open) : CrashTests(open)
{
    [Fact]
    public async Task A_stopped_process_that_wakes_after_its_lease_changes_nothing()
    {
        var stopped = await Fixture.StartNodeAsync(settings => settings with { NodeName = "sleeper", Concurrency = 20 });
        var woken = Fixture.FileFor("woken");
        var deaf = await EnqueueAsync(10, () => new PlainProbe(HoldMs: 1_000_000, IsUnresponsive: true, Until: woken));

        // So short are the rounds that it is stopped with calls of the store under way: their answers are there when it wakes.
        var looping = await EnqueueAsync(10, () => new CheckpointProbe(Rounds: 1_000_000, HoldMs: 5, Until: woken));
        await RunningAsync(20);
        var others = await StartNodesAsync(2);

        await Fixture.StopAsync(stopped);
        var held = Running(Fixture.ReadJournal().Where(line => line.ProcessId == stopped.Id)).ToHashSet();
        Assert.Superset(deaf.ToHashSet(), held);
        Assert.NotEmpty(held.Intersect(looping));

        // Without the end of its lease, a process that stays stopped would keep its work for ever.
        await Until.TrueAsync(
            () => Entries(others, JournalEvents.Begin) >= held.Count, "the others began all of it", TimeSpan.FromMinutes(5));
        await Until.TrueAsync(
            () => Entries(others, JournalEvents.StepStored) >= held.Count - deaf.Count, "the others went on with every checkpoint");
        stopped.Send(Signal.Continue);
        await Until.TrueAsync(
            () => Fixture.ReadJournal().Where(line => line.ProcessId == stopped.Id
                && line.What is JournalEvents.Token or JournalEvents.Refused).Select(line => line.EntryId).ToHashSet().IsSupersetOf(held),
            "the stopped process was told, when it woke, that everything it ran was lost");
        await File.WriteAllTextAsync(woken, "");
        await AllCompletedAsync([.. deaf, .. looping]);
        foreach (var id in deaf)
        {
            Assert.NotEqual("sleeper", (await Fixture.Queue.FindAsync(id))!.Node);
        }

        Assert.DoesNotContain(
            Fixture.ReadJournal().Where(line => line.What is JournalEvents.StepBegin or JournalEvents.StepStored).GroupBy(
                line => (line.EntryId, line.Detail)),
            round => round.SkipWhile(line => line.What != JournalEvents.StepStored).Any(line => line.What == JournalEvents.StepBegin));
        await InvariantHoldsAsync([.. deaf, .. looping]);
    }

    [Fact]
    public async Task A_graceful_stop_gives_work_back_without_attempt_or_crash()
    {
        var leaving = await Fixture.StartNodeAsync(
            settings => settings with { ShutdownTimeout = TimeSpan.FromMilliseconds(200), PatientStop = true });
        var left = Fixture.FileFor("left");
        var ids = await EnqueueAsync(40, () => new PlainProbe(HoldMs: 600_000, Until: left));
        await RunningAsync(20);

        leaving.Send(Signal.Terminate);
        Assert.Equal(0, await leaving.WaitForExitAsync());
        var entries = await Task.WhenAll(ids.Select(async id => (await Fixture.Queue.FindAsync(id))!));

        Assert.All(entries, entry => Assert.Equal((EntryState.Waiting, 0, 0), (entry.State, entry.Attempt, entry.Crashes)));
        await File.WriteAllTextAsync(left, "");
        await Fixture.StartNodeAsync(settings => settings with { Concurrency = 40 });
        await AllCompletedAsync(ids);
        await InvariantHoldsAsync(ids);
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlStoppedProcessTests() : StoppedProcessTests(PostgreSqlCrashFixture.OpenAsync);

/// <summary>On one SQLite file that the processes share.</summary>
public sealed class SqliteStoppedProcessTests() : StoppedProcessTests(SqliteCrashFixture.OpenAsync);
