using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests;

/// <summary>Databases that have the library's tables. Each is a copy of a template, because the migrations take longer than most
/// tests.</summary>
internal static class MigratedDatabase
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);

    /// <summary>Creates a database.</summary>
    /// <param name="prefix">The beginning of its name.</param>
    /// <param name="schema">The schema of the tables; the default of the library if it is omitted.</param>
    /// <param name="isNew">Whether no other test may have used it.</param>
    public static async Task<PostgresDatabase> CreateAsync(string prefix, string? schema = null, bool isNew = false)
    {
        var options = new PostgreSqlOptions();
        options.Schema = schema ?? options.Schema;
        var server = await PostgresServer.SharedAsync();
        return await server.CopyDatabaseAsync(prefix, options.Schema, connectionString => MigrateAsync(connectionString, options), isNew);
    }

    private static async Task MigrateAsync(string connectionString, PostgreSqlOptions options)
    {
        await using var database =
            new PostgreSqlDatabase(new PostgreSqlConnectionSource(connectionString, null), options, Lease).WithPatience();
        await new PostgreSqlMigrator(database).MigrateAsync();
    }
}
