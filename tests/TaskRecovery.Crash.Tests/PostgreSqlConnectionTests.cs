using Npgsql;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>What only a server can do to its clients.</summary>
public sealed class PostgreSqlConnectionTests() : CrashTests(PostgreSqlCrashFixture.OpenAsync)
{
    private PostgreSqlCrashFixture Database => (PostgreSqlCrashFixture)Fixture;

    [Fact]
    public async Task A_server_restarted_at_once_under_load_loses_nothing()
    {
        await StartNodesAsync(3);
        var restarted = Fixture.FileFor("restarted");
        var ids = await EnqueueAsync(1000, () => new StepsProbe(Steps: 3, HoldMs: 100, Until: restarted));
        await RunningAsync(100);

        await Database.Server.RestartImmediateAsync();
        await File.WriteAllTextAsync(restarted, "");
        await AllCompletedAsync(ids);

        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task A_killed_backend_loses_nothing()
    {
        await StartNodesAsync(3);
        var ended = Fixture.FileFor("ended");
        var ids = await EnqueueAsync(600, () => new PlainProbe(HoldMs: 600_000, Until: ended));
        await RunningAsync(100);

        var killed = await Database.KillBackendsAsync();
        await File.WriteAllTextAsync(ended, "");
        await AllCompletedAsync(ids);

        Assert.True(killed > 0, "no backend was there to be killed");
        await InvariantHoldsAsync(ids);
    }

    /// <summary>Until the answer has been read, the claim's transaction locks its node's row. One node has sessions of the library's own,
    /// the other a data source of the application, whose sessions no other node can recognize and end.</summary>
    [Fact]
    public async Task Nodes_stopped_while_they_read_a_claims_answer_are_declared_dead_and_cost_no_other_node_its_lease()
    {
        // A busy machine may stop a node for the 7.5 s after which it gives up.
        for (var attempt = 1; await CostOthersTheirLeaseAsync(attempt); attempt++)
        {
            Assert.InRange(attempt, 1, 2);
        }
    }

    private async Task<bool> CostOthersTheirLeaseAsync(int attempt)
    {
        var direct = new NpgsqlConnectionStringBuilder(Database.Server.ConnectionString);
        await using var network = new TcpProxy(direct.Host!, direct.Port);
        network.StallAnswersAfter(1_000_000);
        var through =
            new NpgsqlConnectionStringBuilder(direct.ConnectionString) { Host = "127.0.0.1", Port = network.Port }.ConnectionString;
        ChildProcess[] stopped =
        [
            await Fixture.StartNodeAsync(settings => settings with { Postgres = through, NodeName = $"stopped {attempt} own" }),
            await Fixture.StartNodeAsync(settings => settings with
            {
                ApplicationPostgres = through,
                UsesDataSource = true,
                NodeName = $"stopped {attempt} shared",
            }),
        ];

        // A claim takes 16 MiB, and the buffers of a connection hold less.
        var large = await EnqueueAsync(40, () => new PlainProbe(HoldMs: 100, Padding: new string('x', 900_000)));
        await Until.TrueAsync(
            async () => await Database.CountAsync("select count(*) from pg_stat_activity where wait_event = 'ClientWrite'") == 2,
            "the server waits for both to read their claims");
        var others = await StartNodesAsync(2);
        var declared = Fixture.FileFor($"declared {attempt}");
        var running = await EnqueueAsync(20, () => new PlainProbe(HoldMs: 600_000, Until: declared));
        await RunningAsync(20);

        Array.ForEach(stopped, process => process.Send(Signal.Stop));
        await Until.TrueAsync(
            async () => await Database.CountAsync("select count(*) from taskrecovery.nodes where dead_at is not null "
                + $"and name in ('stopped {attempt} own', 'stopped {attempt} shared')") == 2,
            "both are declared dead", TimeSpan.FromMinutes(5));
        await File.WriteAllTextAsync(declared, "");
        await AllCompletedAsync([.. large, .. running]);

        // Had they waited for the stopped claims, it would have been for ten seconds: longer than the 7.5 s after which a node of this test
        // gives up.
        var haveLost = Fixture.ReadJournal().Any(
                line => line.What == JournalEvents.Token && others.Any(process => process.Id == line.ProcessId))
            || others.Any(static process => process.Output.Contains("[3006]", StringComparison.Ordinal));
        await InvariantHoldsAsync([.. large, .. running]);
        await Task.WhenAll(stopped.Concat(others).Select(static process => process.KillAsync()));
        return haveLost;
    }
}
