using System.Diagnostics;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Crash.Tests;

/// <summary>Processes that die at a chosen place, or because of an entry, on every store.</summary>
public abstract class FaultPointTests : CrashStories
{
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

        await TheLawHoldsAsync(ids);
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
        await TheLawHoldsAsync(ids);
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
            if ((await Fixture.Queue.CountAsync()) is { Waiting: 0, Running: 0 })
            {
                break;
            }
        }

        await AllCompletedAsync(innocent);
        var ended = (await Fixture.Queue.FindAsync(poison))!;
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), (ended.State, ended.Reason));
        var firstClaim = Fixture.ReadJournal().Where(line => line.What == JournalEvents.Begin).GroupBy(line => line.Fence).First();
        Assert.Equal(1_000, firstClaim.Count());
        await TheLawHoldsAsync(innocent);
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlFaultPointTests : FaultPointTests
{
    protected override Task<CrashFixture> OpenAsync() => CrashFixture.OnPostgresAsync();
}

/// <summary>On SQLite.</summary>
public sealed class SqliteFaultPointTests : FaultPointTests
{
    protected override Task<CrashFixture> OpenAsync() => CrashFixture.OnSqliteAsync();
}
