using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>A log that grows is reported, whatever keeps it from being copied.</summary>
public sealed class CheckpointTests : IDisposable
{
    private const int LargeLog = 5003;
    private const long LargeBytes = 70_000_000;
    private const long IsBusy = 1;

    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_large_log_is_reported_while_another_connection_runs_a_checkpoint()
    {
        var log = new RecordedLog();
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        using var session = database.OpenReader();
        using var checkpointer = new SqliteCheckpointer(database.OpenReader, _files.File, static thread => thread.Start(), log);
        Lengthen($"{_files.File}-wal");
        await using var writer = _files.Connect();
        Task other;
        await using (await writer.BeginTransactionAsync())
        {
            // Once it has the lock of the checkpoint, it waits for the write lock. It gives up at once if the other one has the former.
            var connection = _files.Connect();
            Execute(connection, "pragma busy_timeout = 120000");
            other = Task.Run(() =>
            {
                while (Execute(connection, "pragma wal_checkpoint(full)") == IsBusy)
                {
                }
            });
            var started = TimeProvider.System.GetTimestamp();
            while (log.Entries.All(static entry => entry.Id != LargeLog)
                && TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
            {
                checkpointer.CopyOnce(session);
            }
        }

        await other;
        Assert.Contains("in the middle of a checkpoint", Assert.Single(log.Entries).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _files.Dispose();

    // What lies behind the last commit is not a part of the log.
    private static void Lengthen(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.SetLength(handle, LargeBytes);
    }

    private static long Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return (long)command.ExecuteScalar()!;
    }
}
