using Microsoft.Data.Sqlite;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>The crash tests on one SQLite file that several processes share.</summary>
public sealed class SqliteCrashTests : CrashTests
{
    protected override TimeSpan LongestAfterKill => TimeSpan.FromSeconds(5);

    /// <summary>Transactions that write have the file one after the other: 200 took two minutes.</summary>
    protected override int TransactionEntries => 60;

    protected override Task<CrashFixture> OpenAsync() => CrashFixture.OnSqliteAsync();

    /// <summary>A process that is stopped in the middle of a write keeps the file's only write lock, and nobody can take it away: then it is let go on a little and stopped again.</summary>
    protected override async Task StopAsync(ChildProcess process)
    {
        process.Send(Signal.Stop);
        while (!await CanWriteAsync())
        {
            process.Send(Signal.Continue);
            process.Send(Signal.Stop);
        }
    }

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

    private async Task<bool> CanWriteAsync()
    {
        await using var connection = new SqliteConnection($"Data Source={Fixture.SettingsFor("unused").SqliteFile};Default Timeout=2");
        await connection.OpenAsync();
        try
        {
            await using var transaction = connection.BeginTransaction(deferred: false);
            await transaction.RollbackAsync();
            return true;
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 5)
        {
            return false;
        }
    }
}
