using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>An empty store for one test: a SQLite file, or a database on the PostgreSQL server that all tests share.</summary>
/// <param name="isPostgres">Whether it is a database of PostgreSQL.</param>
/// <param name="keepsConnections">Whether connections stay open for minutes although nothing uses them.</param>
internal sealed class RealStore(bool isPostgres, bool keepsConnections = false) : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("taskrecovery-dashboard-");
    private PostgresDatabase? _database;

    /// <summary>The name of the database on the server; <see langword="null"/> for a file.</summary>
    public string? DatabaseName => _database?.Name;

    /// <summary>The connection string of the database; <see langword="null"/> for a file.</summary>
    public string? ConnectionString => _database?.ConnectionString;

    public async Task<TaskRecoveryBuilder> UseAsync(TaskRecoveryBuilder builder)
    {
        // By default, a node that a busy machine stops for more than two seconds loses what it runs.
        builder.Services.Configure<TaskRecoveryOptions>(
            static options => (options.Node.Lease, options.Node.Grace) = (TimeSpan.FromMinutes(3), TimeSpan.FromMinutes(2)));
        if (!isPostgres)
        {
            return builder.UseSqlite($"Data Source={Path.Combine(_folder.FullName, "queue.db")}");
        }

        _database ??= await (await PostgresServer.SharedAsync()).CopyDatabaseAsync("dashboard", "migrated", MigrateAsync);
        var settings = new NpgsqlConnectionStringBuilder(_database.ConnectionString);
        if (keepsConnections)
        {
            settings.ConnectionIdleLifetime = 600;
        }

        return builder.UsePostgreSql(settings.ConnectionString);
    }

    public async ValueTask DisposeAsync()
    {
        await (_database?.DisposeAsync() ?? ValueTask.CompletedTask);
        _folder.Delete(recursive: true);
    }

    private static async Task MigrateAsync(string connectionString)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery().UsePostgreSql(connectionString);
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<IStoreMigrator>().MigrateAsync();
    }
}
