using Hangfire;
using Hangfire.PostgreSql;
using Hangfire.PostgreSql.Factories;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>A database of an application that used Hangfire, which is not running.</summary>
internal sealed class OldHangfire : IAsyncDisposable
{
    private readonly PostgresDatabase _database;

    private OldHangfire(PostgresDatabase database)
    {
        _database = database;
        Storage = CreateTables();
        Client = new BackgroundJobClient(Storage);
        Recurring = new RecurringJobManager(Storage);
    }

    public string ConnectionString => _database.ConnectionString;

    public PostgreSqlStorage Storage { get; }

    public BackgroundJobClient Client { get; }

    public RecurringJobManager Recurring { get; }

    public static async Task<OldHangfire> CreateAsync()
        => new(await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("hangfire"));

    /// <summary>Opens the storage as a server that starts does, which creates its tables if they are missing.</summary>
    public PostgreSqlStorage CreateTables()
    {
        var options = new PostgreSqlStorageOptions();
        return new PostgreSqlStorage(new NpgsqlConnectionFactory(ConnectionString, options), options);
    }

    public Task ExecuteAsync(string sql) => ExecuteAsync(ConnectionString, sql);

    /// <summary>Returns the number of rows of Hangfire's tables, to see that nothing is changed.</summary>
    public async Task<string> CountsAsync()
    {
        await using var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(
            """
            select concat_ws(' ', (select count(*) from hangfire.job), (select count(*) from hangfire.jobqueue),
                (select count(*) from hangfire.set), (select count(*) from hangfire.hash))
            """, connection);
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    internal static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
