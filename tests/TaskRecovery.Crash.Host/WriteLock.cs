using Microsoft.Data.Sqlite;

namespace TaskRecovery.Crash.Host;

/// <summary>A program that is not one of the library's nodes and holds the write lock of its file.</summary>
internal static class WriteLock
{
    /// <summary>Holds it until the process ends.</summary>
    public static async Task HoldAsync(HostSettings settings)
    {
        await using var connection = new SqliteConnection($"Data Source={settings.SqliteFile}");
        await connection.OpenAsync();
        await using var transaction = connection.BeginTransaction();
        Console.WriteLine("holds");
        await Task.Delay(Timeout.Infinite);
    }
}
