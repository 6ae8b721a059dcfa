using System.Diagnostics;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to an entry that kills its process. Run on both stores.</summary>
public abstract class PoisonTests(Func<Task<CrashFixture>> open) : CrashTests(open)
{
    private protected override TimeSpan? Grace => null;

    [Fact]
    public async Task A_poisonous_entry_among_a_thousand_of_one_claim_ends_alone()
    {
        // Suspects run 32 at a time and after three crashes alone, so that every second of the innocent ones is a minute of the test.
        var innocent = await EnqueueAsync(999, () => new PlainProbe(HoldMs: 500));
        var poison = (await Fixture.Queue.EnqueueAsync(
            new PoisonProbe(HoldMs: 150, Begun: 1_000), new EnqueueOptions { Priority = 0 })).Id;

        var limit = Stopwatch.StartNew();
        while ((await Fixture.Queue.FindAsync(poison))!.State is EntryState.Waiting or EntryState.Running)
        {
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(15), "the poisonous entry has not ended after fifteen minutes");
            var node = await Fixture.StartNodeAsync(settings => settings with { NodeName = "victim", Concurrency = 1_000 });
            if (await IsEmptyBeforeAsync(node.WaitForExitAsync(TimeSpan.FromMinutes(15))))
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

    private async Task<bool> IsEmptyBeforeAsync(Task<int> exit)
    {
        while (await Task.WhenAny(exit, Task.Delay(TimeSpan.FromSeconds(1))) != exit)
        {
            if (await Fixture.Queue.CountAsync() is { Due.Value: 0, Running.Value: 0 })
            {
                return true;
            }
        }

        await exit;
        return false;
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlPoisonTests() : PoisonTests(PostgreSqlCrashFixture.OpenAsync);

/// <summary>On one SQLite file that the processes share.</summary>
public sealed class SqlitePoisonTests() : PoisonTests(SqliteCrashFixture.OpenAsync);
