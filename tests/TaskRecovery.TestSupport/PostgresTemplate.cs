using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A database that is filled once in a process and copied for each test.</summary>
internal sealed class PostgresTemplate : IAsyncDisposable
{
    private readonly string _server;
    private readonly PostgresDatabase _database;
    private readonly string _strategy;

    private PostgresTemplate(string server, PostgresDatabase database, string strategy)
        => (_server, _database, _strategy) = (server, database, strategy);

    public static async Task<PostgresTemplate> CreateAsync(string server, Func<string, Task> fill)
    {
        var database = await PostgresDatabase.CreateAsync(server, "template");
        await fill(database.ConnectionString);

        // A database that has sessions can't be copied.
        await using (var pool = new NpgsqlConnection(database.ConnectionString))
        {
            NpgsqlConnection.ClearPool(pool);
        }

        // If nothing waits for the disk, the checkpoints of a file copy cost less than a log record for each page. Otherwise each of them
        // would write all files of the copy to the disk.
        var strategy = await PostgresDatabase.ExecuteAsync(server, "show fsync") is "off" ? "file_copy" : "wal_log";
        return new PostgresTemplate(server, database, strategy);
    }

    public Task<PostgresDatabase> CopyAsync(string prefix)
        => PostgresDatabase.CreateAsync(_server, prefix, $"template {_database.Name} strategy {_strategy}");

    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
