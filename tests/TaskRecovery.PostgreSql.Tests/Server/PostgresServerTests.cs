using System.Net.Sockets;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Server;

/// <summary>What the other tests rely on: a server that stops, dies, comes back and is gone in the end.</summary>
public sealed class PostgresServerTests
{
    private static readonly PostgresServerOptions Controlled = new() { Controlled = true, MaxConnections = 30 };

    [Fact]
    public async Task Committed_rows_survive_an_immediate_restart_and_a_kill()
    {
        await using var server = await PostgresServer.StartAsync(Controlled);
        await using var database = await server.CreateDatabaseAsync();
        await ExecuteAsync(database.ConnectionString, "create table numbers (n int); insert into numbers values (1)");

        await server.RestartImmediateAsync();
        await ExecuteAsync(database.ConnectionString, "insert into numbers values (2)");
        await server.KillAsync();
        await server.StartAgainAsync();

        Assert.Equal(2L, await ExecuteAsync(database.ConnectionString, "select count(*) from numbers"));
    }

    [Fact]
    public async Task A_stopped_server_refuses_connections_and_a_disposed_one_is_gone()
    {
        var server = await PostgresServer.StartAsync(Controlled);

        await server.StopAsync();
        var stopped = await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(server.ConnectionString, "select 1"));
        await server.StartAgainAsync();
        Assert.Equal(1, await ExecuteAsync(server.ConnectionString, "select 1"));
        await server.DisposeAsync();

        var disposed = await Assert.ThrowsAnyAsync<NpgsqlException>(() => ExecuteAsync(server.ConnectionString, "select 1"));
        Assert.IsType<SocketException>(stopped.InnerException);
        Assert.IsType<SocketException>(disposed.InnerException);
    }

    [Fact]
    public async Task A_dropped_database_leaves_the_server_to_the_others()
    {
        var server = await PostgresServer.SharedAsync();
        var first = await server.CreateDatabaseAsync();
        await using var second = await server.CreateDatabaseAsync();

        await first.DisposeAsync();

        var gone = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(first.ConnectionString, "select 1"));
        Assert.Equal(PostgresErrorCodes.InvalidCatalogName, gone.SqlState);
        Assert.Equal(1, await ExecuteAsync(second.ConnectionString, "select 1"));
    }

    [Fact]
    public async Task A_template_is_filled_once_and_its_copies_share_nothing()
    {
        var server = await PostgresServer.SharedAsync();
        var fills = 0;

        var copies = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => server.CopyDatabaseAsync("copy", "numbers", FillAsync)));
        await using var first = copies[0];
        await using var second = copies[1];
        await using var third = copies[2];
        await ExecuteAsync(first.ConnectionString, "insert into numbers values (2)");

        Assert.Equal(1, fills);
        Assert.Equal(2L, await ExecuteAsync(first.ConnectionString, "select count(*) from numbers"));
        Assert.Equal(1L, await ExecuteAsync(second.ConnectionString, "select count(*) from numbers"));
        Assert.Equal(1L, await ExecuteAsync(third.ConnectionString, "select count(*) from numbers"));

        // The connection goes to the pool of the driver, where it must not keep the template from being copied.
        async Task FillAsync(string connectionString)
        {
            Interlocked.Increment(ref fills);
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            await using var command = new NpgsqlCommand("create table numbers (n int); insert into numbers values (1)", connection);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_copy_is_lent_again_with_the_rows_of_the_template_unless_its_schema_was_changed()
    {
        await using var server = await PostgresServer.StartAsync(Controlled);
        var first = await CopyAsync();
        await using var open = new NpgsqlConnection(first.ConnectionString);
        await open.OpenAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync(first.ConnectionString, "delete from empty; insert into empty values (1); delete from numbers");
        await ExecuteAsync(first.ConnectionString, "insert into numbers (twice) select 3 from generate_series(1, 5)");

        await first.DisposeAsync();
        var second = await CopyAsync();
        var found = await ExecuteAsync(second.ConnectionString, Found);
        var next = await ExecuteAsync(second.ConnectionString, "insert into numbers (twice) values (1) returning n");
        await ExecuteAsync(second.ConnectionString, "alter table empty add column other integer");
        await second.DisposeAsync();
        var third = await CopyAsync();

        Assert.Equal(first.Name, second.Name);
        Assert.Equal("1/2, 2/4; 0", found);
        Assert.Equal(3L, next);
        Assert.NotEqual(second.Name, third.Name);
        Assert.Equal("1/2, 2/4; 0", await ExecuteAsync(third.ConnectionString, Found));

        Task<PostgresDatabase> CopyAsync() => server.CopyDatabaseAsync("copy", "lent", static connectionString => ExecuteAsync(
            connectionString,
            "create table numbers (n bigint generated always as identity, twice integer, "
            + "half integer generated always as (twice / 2) stored);"
            + "insert into numbers (twice) values (2), (4); create table empty (n integer)"));
    }

    private const string Found =
        "select (select string_agg(n || '/' || twice, ', ' order by n) from numbers) || '; ' || (select count(*) from empty)";

    private static async Task<object?> ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = new NpgsqlConnection($"{connectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(TestContext.Current.CancellationToken);
    }
}
