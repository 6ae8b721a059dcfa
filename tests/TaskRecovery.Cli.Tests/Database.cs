using Microsoft.Data.Sqlite;

namespace TaskRecovery.Cli.Tests;

/// <summary>Changes a database behind the library's back.</summary>
internal static class Database
{
    /// <summary>Keeps others from writing until the result is disposed.</summary>
    public static async Task<IAsyncDisposable> LockAsync(string connectionString)
    {
        var connection = new SqliteConnection($"{connectionString};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = "begin immediate";
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        return connection;
    }

    public static async Task ExecuteAsync(string connectionString, string statement)
    {
        await using var connection = new SqliteConnection($"{connectionString};Pooling=False");
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = statement;
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
