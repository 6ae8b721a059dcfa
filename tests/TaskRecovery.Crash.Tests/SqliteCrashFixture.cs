using System.Diagnostics;
using Microsoft.Data.Sqlite;
using TaskRecovery.Crash.Host;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Crash.Tests;

/// <summary>One SQLite file that the processes share.</summary>
public sealed class SqliteCrashFixture : CrashFixture
{
    private SqliteCrashFixture()
    {
    }

    /// <summary>Transactions that write have the file one after the other: 200 took two minutes.</summary>
    public override int TransactionEntries => 60;

    private string ConnectionString => $"Data Source={FileFor("tasks.db")}";

    public static async Task<CrashFixture> OpenAsync()
    {
        var fixture = new SqliteCrashFixture();
        await fixture.PrepareAsync();
        await using var connection = new SqliteConnection(fixture.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "create table probe_effects (entry integer, fence integer)";
        await command.ExecuteNonQueryAsync();
        return fixture;
    }

    /// <summary>A process that is stopped in the middle of a write keeps the file's only write lock, and nobody can take it away: then it
    /// is let go on a little and stopped again.</summary>
    public override async Task StopAsync(ChildProcess process)
    {
        process.Send(Signal.Stop);
        for (var clock = Stopwatch.StartNew(); !await CanWriteAsync();)
        {
            Assert.True(clock.Elapsed < TimeSpan.FromMinutes(5), "The file could not be written for five minutes.");
            process.Send(Signal.Continue);
            await Task.Delay(20);
            process.Send(Signal.Stop);
        }
    }

    public override async Task<IReadOnlyList<long>> ReadEffectsAsync()
    {
        await using var connection = new SqliteConnection(ConnectionString);
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

    protected override HostSettings SettingsFor(string journal) => new() { SqliteFile = FileFor("tasks.db"), JournalFile = journal };

    protected override ValueTask StopStoreAsync()
    {
        SqliteConnection.ClearAllPools();
        return ValueTask.CompletedTask;
    }

    private async Task<bool> CanWriteAsync()
    {
        await using var connection = new SqliteConnection($"{ConnectionString};Default Timeout=2");
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
