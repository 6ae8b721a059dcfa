using Npgsql;
using TaskRecovery.Crash.Host;

namespace TaskRecovery.Crash.Tests;

/// <summary>The crash tests on PostgreSQL, and what only a server can do to its clients.</summary>
public sealed class PostgreSqlCrashTests : CrashTests
{
    protected override TimeSpan LongestAfterKill => TimeSpan.FromSeconds(8);

    [Fact]
    public async Task A_server_restarted_at_once_under_load_loses_nothing()
    {
        await StartNodesAsync(3);
        var ids = await EnqueueAsync(1000, () => new StepsProbe(Steps: 3, HoldMs: 100));
        await RunningAsync(100);

        await Fixture.Server!.RestartImmediateAsync();
        await AllCompletedAsync(ids);

        await InvariantHoldsAsync(ids);
    }

    [Fact]
    public async Task A_killed_backend_loses_nothing()
    {
        await StartNodesAsync(3);
        var ids = await EnqueueAsync(600, () => new PlainProbe(HoldMs: 500));
        await RunningAsync(100);

        var killed = await KillBackendsAsync();
        await AllCompletedAsync(ids);

        Assert.True(killed > 0, "no backend was there to be killed");
        await InvariantHoldsAsync(ids);
    }

    protected override Task<CrashFixture> OpenAsync() => CrashFixture.OnPostgresAsync();

    protected override async Task<IReadOnlyList<long>> ReadEffectsAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand("select entry from probe_effects", connection);
        await using var reader = await command.ExecuteReaderAsync();
        var entries = new List<long>();
        while (await reader.ReadAsync())
        {
            entries.Add(reader.GetInt64(0));
        }

        return entries;
    }

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(Fixture.Server!.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Kills every other backend that works for a node at this moment.</summary>
    private async Task<long> KillBackendsAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() and pid % 2 = 0",
            connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
