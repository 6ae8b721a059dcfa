using System.Diagnostics;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to work when the process under it is killed. Run on both stores.</summary>
public abstract class KillTests(Func<Task<CrashFixture>> open) : CrashTests(open)
{
    // Whatever only the lease or a long grace period brought back would take longer.
    private static readonly TimeSpan LongLease = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestAfterKill = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongGrace = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BeforeTheGrace = TimeSpan.FromMinutes(4);

    // The handlers run until their process was killed, however long a busy machine takes for that.
    private const int HoldMs = 600_000;

    private protected override TimeSpan? Grace => null;

    private protected override TimeSpan? NodeLease => LongLease;

    [Fact]
    public async Task Work_of_a_killed_process_runs_again_on_others_within_seconds()
    {
        // How long it takes depends on where in its heartbeat a process is killed: one kill is one sample. How fast it is on a quiet
        // machine is for the chaos program to say; here the limit only tells the grace period from the lease.
        await StartNodesAsync(2);
        var ids = new List<long>();
        var delays = new List<double>();
        for (var kill = 0; kill < 3; kill++)
        {
            await StartNodesAsync(1);
            var killed = Fixture.FileFor($"killed {kill}");
            ids.AddRange(await EnqueueAsync(200, () => new PlainProbe(HoldMs, Until: killed)));
            await RunningAsync(120);

            var (killedAt, interrupted) = await KillOneWhileRunningAsync();
            await File.WriteAllTextAsync(killed, "");
            await AllCompletedAsync(ids);

            delays.AddRange(DelaysUntilRunAgain(interrupted, killedAt));
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{delays.Count} entries ran again after {Median(delays):0.00} s in the median, {delays.Max():0.00} s at most");
        Assert.InRange(delays.Max(), 0, LongestAfterKill.TotalSeconds);
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task A_restarted_instance_does_not_wait_for_its_former_self_to_be_found_dead()
    {
        var node = await StartOnlyAsync();
        var ids = new List<long>();
        var delays = new List<double>();
        for (var restart = 0; restart < 3; restart++)
        {
            var killed = Fixture.FileFor($"killed {restart}");
            ids.AddRange(await EnqueueAsync(60, () => new PlainProbe(HoldMs, Until: killed)));
            await RunningAsync(40);

            var (killedAt, interrupted) = await KillWhileRunningAsync(node);
            await File.WriteAllTextAsync(killed, "");
            node = await StartOnlyAsync();
            await AllCompletedAsync(ids);

            var started = Fixture.ReadJournal().Single(line => line.ProcessId == node.Id && line.What == JournalEvents.Started).At;
            delays.Add(DelaysUntilRunAgain(interrupted, killedAt).Max() - Stopwatch.GetElapsedTime(killedAt, started).TotalSeconds);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"went on {string.Join(", ", delays.Select(delay => $"{delay:0.00}"))} s after its start");
        Assert.True(Median(delays) < BeforeTheGrace.TotalSeconds, $"went on {Median(delays):0.00} s after its start, "
            + "when any other node could have");
        await InvariantHoldsAsync(ids);

        Task<ChildProcess> StartOnlyAsync() => Fixture.StartNodeAsync(
            settings => settings with { NodeName = "only", Concurrency = 100, Grace = LongGrace });
    }

    [Fact]
    public async Task Steps_that_had_finished_are_not_run_again()
    {
        await StartNodesAsync(3);
        var killed = Fixture.FileFor("killed");
        var ids = await EnqueueAsync(60, () => new StepsProbe(Steps: 10, HoldMs: 300, Until: killed));
        await Until.TrueAsync(
            () => Fixture.ReadJournal().Count(line => line.What == JournalEvents.StepStored) > 150, "150 steps were stored");

        await KillOneWhileRunningAsync();
        await File.WriteAllTextAsync(killed, "");
        await AllCompletedAsync(ids);

        var storedTwice = Fixture.ReadJournal()
            .Where(line => line.What == JournalEvents.StepStored)
            .GroupBy(line => (line.EntryId, line.Detail))
            .Where(group => group.Count() > 1);
        Assert.Empty(storedTwice);
        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task Effects_in_the_workers_own_transaction_exist_once()
    {
        await StartNodesAsync(3);
        var killed = Fixture.FileFor("killed");
        var number = 0;
        var ids = await EnqueueAsync(
            Fixture.TransactionEntries, () => new TransactionProbe(HoldMs: 200, Until: number++ % 4 == 0 ? killed : null));
        await Until.TrueAsync(() => Fixture.ReadJournal().Count(line => line.What == JournalEvents.Done) > 20, "some are done");
        await RunningAsync(5);

        await KillOneWhileRunningAsync();
        await File.WriteAllTextAsync(killed, "");
        await AllCompletedAsync(ids);

        Assert.Equal(ids.Order(), (await Fixture.ReadEffectsAsync()).Order());
        await InvariantHoldsAsync(ids);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    private List<double> DelaysUntilRunAgain(IReadOnlyList<long> interrupted, long since)
    {
        var begins = Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin).ToLookup(line => line.EntryId);
        return [.. interrupted.Select(id => Stopwatch.GetElapsedTime(since, begins[id].First(line => line.At > since).At).TotalSeconds)];
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlKillTests() : KillTests(PostgreSqlCrashFixture.OpenAsync);

/// <summary>On one SQLite file that the processes share.</summary>
public sealed class SqliteKillTests() : KillTests(SqliteCrashFixture.OpenAsync);
