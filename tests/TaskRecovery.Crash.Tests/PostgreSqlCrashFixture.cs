using Npgsql;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>A server of its own, which the test may restart.</summary>
public sealed class PostgreSqlCrashFixture : CrashFixture
{
    private PostgreSqlCrashFixture(PostgresServer server) => Server = server;

    public PostgresServer Server { get; }

    public static async Task<CrashFixture> OpenAsync()
    {
        var fixture = new PostgreSqlCrashFixture(
            await PostgresServer.StartAsync(new PostgresServerOptions { Controlled = true, Fsync = true }));
        await using var connection = await fixture.ConnectAsync();
        await using var command = new NpgsqlCommand("create table probe_effects (entry bigint, fence bigint)", connection);
        await command.ExecuteNonQueryAsync();
        await fixture.PrepareAsync();
        return fixture;
    }

    public override async Task<IReadOnlyList<long>> ReadEffectsAsync()
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

    public async Task<long> CountAsync(string statement)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Kills every other backend that works for a node at this moment.</summary>
    public async Task<long> KillBackendsAsync()
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(
            """
            select count(pg_terminate_backend(b.pid)) from (
                select a.pid, row_number() over (order by a.pid) as place from pg_stat_activity a
                where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()) b
            where b.place % 2 = 0
            """,
            connection);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    protected override HostSettings SettingsFor(string journal) => new() { Postgres = Server.ConnectionString, JournalFile = journal };

    protected override async ValueTask StopStoreAsync() => await Server.DisposeAsync();

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(Server.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }
}
