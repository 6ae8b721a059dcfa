using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The writer copies only a few pages of the log itself. A log that grows is reported, whatever keeps it from being
/// copied.</summary>
public sealed class CheckpointTests : IDisposable
{
    private const int LargeLog = 5003;
    private const long LargeBytes = 70_000_000;
    private const long IsBusy = 1;

    private readonly TemporaryDatabase _files = new();
    private readonly RecordedLog _log = new();

    [Fact]
    public async Task A_large_log_is_reported_while_another_connection_runs_a_checkpoint()
    {
        var (session, checkpointer) = await OpenAsync();
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
            while (_log.Entries.All(static entry => entry.Id != LargeLog)
                && TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(60))
            {
                checkpointer.CopyOnce(session);
            }
        }

        await other;
        Assert.Contains("in the middle of a checkpoint", Assert.Single(_log.Entries).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_one_large_transaction_after_the_other_has_written_is_not_reported()
    {
        var (session, checkpointer) = await OpenAsync();
        await using var writer = ConnectWithoutCheckpoints();

        for (var megabytes = 70; megabytes < 73; megabytes++)
        {
            Write(writer, megabytes);
            checkpointer.CopyOnce(session);
        }

        Assert.Empty(_log.Entries);
    }

    [Fact]
    public async Task A_large_log_that_is_copied_but_does_not_start_anew_is_reported()
    {
        var (session, checkpointer) = await OpenAsync();
        await using var writer = ConnectWithoutCheckpoints();

        // At each write, somebody reads what the log has.
        Write(writer, megabytes: 70);
        var first = BeginRead();
        checkpointer.CopyOnce(session);
        var before = _log.Entries;
        Write(writer, megabytes: 20);
        using var second = BeginRead();
        await first.DisposeAsync();
        checkpointer.CopyOnce(session);

        Assert.Empty(before);
        var (id, _, message) = Assert.Single(_log.Entries);
        Assert.Equal(LargeLog, id);
        Assert.Contains("written faster than it is copied", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_writer_copies_the_last_pages_itself_unless_other_processes_had_time_to_write(bool waitsForLock)
    {
        var time = new ManualTime();
        var hasThread = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var session = database.OpenReader();
        using var writer = database.OpenReader();
        strdelegate_authorizer refuse = static (_, _, what, _, _, _) => what == "wal_checkpoint" ? raw.SQLITE_DENY : raw.SQLITE_OK;
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_set_authorizer(writer.Connection.Handle!, refuse, null));
        using var checkpointer = new SqliteCheckpointer(
            () =>
            {
                hasThread.TrySetResult();
                return database.OpenReader();
            },
            _files.File, static thread => thread.Start(), new RecordedLog(), time);

        // What is stored after the begin of the read transaction can't be copied.
        using var read = BeginRead();
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

        checkpointer.CopyOnce(session);
        Assert.Throws<SqliteException>(() => checkpointer.Finish(writer));
        checkpointer.Finish(writer);

        // Its own transaction took long.
        checkpointer.CopyOnce(session);
        var begunAt = time.GetTimestamp();
        time.Advance(TimeSpan.FromSeconds(2));
        checkpointer.Wrote(1, begunAt);
        Assert.Throws<SqliteException>(() => checkpointer.Finish(writer));
        Assert.False(hasThread.Task.IsCompleted);

        // Others wrote, possibly while it waited for the lock.
        checkpointer.CopyOnce(session);
        time.Advance(TimeSpan.FromSeconds(2));
        if (waitsForLock)
        {
            checkpointer.Wrote(1, begunAt: time.GetTimestamp());
        }

        checkpointer.Finish(writer);
        await hasThread.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
    }

    public void Dispose() => _files.Dispose();

    private async Task<(SqliteSession Session, SqliteCheckpointer Checkpointer)> OpenAsync()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        return (_files.Keep(database.OpenReader()), _files.Keep(new SqliteCheckpointer(
            database.OpenReader, _files.File, static thread => thread.Start(), _log, TimeProvider.System)));
    }

    private SqliteConnection ConnectWithoutCheckpoints()
    {
        var connection = _files.Connect();
        Execute(connection, "pragma wal_autocheckpoint = 0");
        return connection;
    }

    private static void Write(SqliteConnection connection, int megabytes)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "create table if not exists scratch (value blob); "
            + $"insert into scratch values (zeroblob({megabytes} * 1000000))";
        command.ExecuteNonQuery();
    }

    private SqliteTransaction BeginRead()
    {
        var transaction = _files.Connect().BeginTransaction(deferred: true);
        using var command = transaction.Connection!.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "select count(*) from taskrecovery_nodes";
        command.ExecuteScalar();
        return transaction;
    }

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

    private sealed class ManualTime : TimeProvider
    {
        private long _now = TimeSpan.TicksPerDay;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
