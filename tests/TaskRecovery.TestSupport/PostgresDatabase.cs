using System.Net.Sockets;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A database for one fixture. Disposing ends any open connections to it, and drops it or leaves it to another fixture.</summary>
public sealed class PostgresDatabase : IAsyncDisposable
{
    // To copy or drop a database takes checkpoints, and all that run at once wait for each other's.
    private const int SecondsForCheckpoints = 120;

    private readonly string _server;
    private readonly Func<PostgresDatabase, Task<bool>>? _tryGiveBack;
    private int _isDisposed;

    internal PostgresDatabase(string server, string name, Func<PostgresDatabase, Task<bool>>? tryGiveBack)
    {
        (_server, _tryGiveBack) = (server, tryGiveBack);
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
        if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
        {
            return;
        }

        await using (var pool = new NpgsqlConnection(ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        try
        {
            if (_tryGiveBack is not null && await _tryGiveBack(this))
            {
                return;
            }

            await ExecutePatientlyAsync(_server, $"drop database if exists {Name} with (force)");
        }
        catch (NpgsqlException exception) when (exception.InnerException is SocketException)
        {
            // The test has stopped its server, so there is nothing to drop.
        }
    }

    /// <summary>Creates a database with a unique name.</summary>
    /// <param name="server">The connection string of the server's maintenance database.</param>
    /// <param name="prefix">The beginning of the name.</param>
    /// <param name="options">Options of <c>create database</c>; without them the database is empty.</param>
    /// <param name="tryGiveBack">Called when the database is disposed of. If it returns true, the database stays.</param>
    internal static async Task<PostgresDatabase> CreateAsync(
        string server, string prefix, string options = "", Func<PostgresDatabase, Task<bool>>? tryGiveBack = null)
    {
        var name = $"{prefix}_{Guid.NewGuid():n}"[..Math.Min(prefix.Length + 17, 63)];
        await ExecutePatientlyAsync(server, $"create database {name} {options}");
        return new PostgresDatabase(server, name, tryGiveBack);
    }

    /// <summary>Runs a statement on a connection of its own, and returns the first value of its result, if there is one.</summary>
    internal static async Task<object?> ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = Unpooled(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = SecondsForCheckpoints };
        return await command.ExecuteScalarAsync();
    }

    /// <summary>A connection outside the pool: a restart of the server may have broken a pooled one.</summary>
    internal static NpgsqlConnection Unpooled(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, Timeout = PostgresServer.PatientTimeout };
        return new NpgsqlConnection(settings.ConnectionString);
    }

    // The server waits five seconds for sessions that are about to end, which a busy machine may exceed.
    private static async Task ExecutePatientlyAsync(string server, string statement)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await ExecuteAsync(server, statement);
                return;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ObjectInUse && attempt < 10)
            {
                // Again.
            }
        }
    }
}
