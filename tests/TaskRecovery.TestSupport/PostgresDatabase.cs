using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>An empty database for one fixture. Disposing drops it and ends any open connections to it.</summary>
public sealed class PostgresDatabase : IAsyncDisposable
{
    private readonly string _server;

    private PostgresDatabase(string server, string name)
    {
        _server = server;
        Name = name;
        ConnectionString = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;
    }

    /// <summary>The database's name, in lower case, valid without quotes.</summary>
    public string Name { get; }

    /// <summary>The connection string of the database's owner.</summary>
    public string ConnectionString { get; }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await using (var pool = new NpgsqlConnection(ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        try
        {
            await ExecuteAsync(_server, $"drop database if exists {Name} with (force)");
        }
        catch (NpgsqlException exception) when (exception.InnerException is SocketException)
        {
            // The test has stopped its server, so there is nothing to drop.
        }
    }

    internal static async Task<PostgresDatabase> CreateAsync(string server, string prefix)
    {
        var name = $"{prefix}_{Guid.NewGuid():n}"[..Math.Min(prefix.Length + 17, 63)];
        await ExecuteAsync(server, $"create database {name}");
        return new PostgresDatabase(server, name);
    }

    private static async Task ExecuteAsync(string connectionString, string statement)
    {
        // Unpooled, because a restart of the server may have broken a pooled connection.
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
