using TaskRecovery.TestSupport;

namespace TaskRecovery.Cli.Tests;

/// <summary>Databases that have the library's tables. Each is a copy of a template, because the migrations take longer than most
/// tests.</summary>
internal static class MigratedDatabase
{
    /// <summary>Creates a database.</summary>
    /// <param name="prefix">The beginning of its name.</param>
    public static async Task<PostgresDatabase> CreateAsync(string prefix)
        => await (await PostgresServer.SharedAsync()).CopyDatabaseAsync(prefix, "migrated", static async connectionString =>
        {
            using var cli = new CliFixture(connectionString);
            await cli.MigratedAsync();
        });
}
