using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests;

/// <summary>A database of one of the stores with the library's tables, and the tool over it.</summary>
internal sealed class EitherStore : IAsyncDisposable
{
    private readonly PostgresDatabase? _database;

    private EitherStore(PostgresDatabase? database, CliFixture cli) => (_database, Cli) = (database, cli);

    /// <summary>The tool.</summary>
    public CliFixture Cli { get; }

    /// <summary>Creates a database in PostgreSQL, or a file of SQLite.</summary>
    public static async Task<EitherStore> CreateAsync(bool onServer)
    {
        if (!onServer)
        {
            return new EitherStore(null, await new CliFixture().MigratedAsync());
        }

        var database = await MigratedDatabase.CreateAsync("cli");
        return new EitherStore(database, new CliFixture(database.ConnectionString));
    }

    /// <summary>Changes the database behind the library's back. A table is written as <c>{jobs}</c>.</summary>
    public async Task ExecuteAsync(string statement)
    {
        var prefix = _database is null ? "taskrecovery_" : "taskrecovery.";
        var text = statement.Replace("{", prefix, StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
        if (_database is null)
        {
            await Database.ExecuteAsync(Cli.ConnectionString, text);
            return;
        }

        await using var connection = new NpgsqlConnection($"{_database.ConnectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Makes every heartbeat old.</summary>
    public Task SilenceNodesAsync()
        => _database is null ? Cli.SilenceNodesAsync() : ExecuteAsync("update {heartbeats} set beat_at = beat_at - interval '1 day'");

    /// <summary>Keeps others from changing the operations until the result is disposed.</summary>
    public Task<IAsyncDisposable> HoldOperationsAsync() => HoldAsync("select from taskrecovery.operations for update");

    /// <summary>Keeps others from what a statement locks on a server, and from every write to a file, until the result is
    /// disposed.</summary>
    public async Task<IAsyncDisposable> HoldAsync(string statement)
    {
        if (_database is null)
        {
            return await Database.LockAsync(Cli.ConnectionString);
        }

        var connection = new NpgsqlConnection($"{_database.ConnectionString};Pooling=false");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand($"begin; {statement}", connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        Cli.Dispose();
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }
}
