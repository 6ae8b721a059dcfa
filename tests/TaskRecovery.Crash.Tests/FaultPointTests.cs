using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What happens to work when a process dies at a named place of the engine. Run on both stores.</summary>
public abstract class FaultPointTests(Func<Task<CrashFixture>> open) : CrashTests(open)
{
    private protected override TimeSpan? Grace => null;

    [Theory]
    [InlineData("handler.started")]
    [InlineData("handler.finished")]
    [InlineData("claim.before_commit")]
    [InlineData("claim.committed")]
    [InlineData("flush.middle")]
    public async Task Work_survives_a_kill_at(string faultPoint)
    {
        var doomed = await Fixture.StartNodeAsync(
            settings => settings with { DieAt = faultPoint, DieAfter = 2, Concurrency = 10, Prefetch = 0 });
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
        var doomed = await Fixture.StartNodeAsync(
            settings => settings with { DieAt = faultPoint, DieAfter = 40, EnqueueEvery = TimeSpan.FromMilliseconds(10) });
        Assert.NotEqual(0, await doomed.WaitForExitAsync());
        long[] ids = [.. Fixture.ReadJournal().Where(line => line.What == JournalEvents.Acknowledged).Select(line => line.EntryId)];

        await Fixture.StartNodeAsync();
        await AllCompletedAsync(ids);

        Assert.NotEmpty(ids);
        await InvariantHoldsAsync(ids);
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgreSqlFaultPointTests() : FaultPointTests(PostgreSqlCrashFixture.OpenAsync);

/// <summary>On one SQLite file that the processes share.</summary>
public sealed class SqliteFaultPointTests() : FaultPointTests(SqliteCrashFixture.OpenAsync);
