using Microsoft.Data.Sqlite;

namespace TaskRecovery.Crash.Tests;

/// <summary>The crash tests on one SQLite file that several processes share.</summary>
public sealed class SqliteCrashTests : CrashTests
{
    protected override double MedianAfterKill => 2.0;

    protected override double MaxAfterKill => 2.0;

    protected override Task<CrashFixture> OpenAsync() => CrashFixture.OnSqliteAsync();

    protected override async Task<IReadOnlyList<long>> ReadEffectsAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={Fixture.SettingsFor("unused").SqliteFile}");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "select entry from probe_effects";
        await using var reader = await command.ExecuteReaderAsync();
        var entries = new List<long>();
        while (await reader.ReadAsync())
        {
            entries.Add(reader.GetInt64(0));
        }

        return entries;
    }
}
