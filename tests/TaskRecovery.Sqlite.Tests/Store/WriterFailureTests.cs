using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What goes wrong beside the writes fails none of them.</summary>
public sealed class WriterFailureTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_checkpoint_that_fails_on_the_writers_thread_fails_no_write()
    {
        var log = new RecordedLog();
        var database = _files.Open(log: log);
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        strdelegate_authorizer refuse = static (_, _, what, _, _, _)
            => what == "wal_checkpoint" ? raw.SQLITE_DENY : raw.SQLITE_OK;
        await database.WriteAsync(
            session => raw.sqlite3_set_authorizer(session.Connection.Handle!, refuse, null), CancellationToken.None);
        var args = $"\"{new string('x', 1_000_000)}\"";
        var limit = TimeProvider.System.GetTimestamp();

        while (log.Entries.All(static entry => entry.Id != 5004) && TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromSeconds(30))
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry(args)], null, CancellationToken.None);
        }

        Assert.Contains(log.Entries, static entry => entry.Id == 5004);
        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
    }

    [Fact]
    public async Task A_writer_that_is_closed_beside_its_first_write_opens_nothing_afterwards()
    {
        for (var round = 0; round < 300; round++)
        {
            var isClosed = false;
            var openedLate = 0;
            var writer = new SqliteWriter(
                () =>
                {
                    Interlocked.Add(ref openedLate, Volatile.Read(ref isClosed) ? 1 : 0);
                    throw new SqliteException("No file.", raw.SQLITE_CANTOPEN);
                },
                "none", new SqliteOptions(), NullLogger.Instance);
            var write = new SqliteWrite<int>("Test", static _ => 0, WriteKind.Ordinary, CancellationToken.None);

            var adding = Task.Run(() => writer.Add(write));
            writer.Dispose();
            Volatile.Write(ref isClosed, true);
            await adding;
            await Assert.ThrowsAnyAsync<TaskRecoveryException>(() => write.Answer);

            Assert.Equal(0, Volatile.Read(ref openedLate));
        }
    }

    public void Dispose() => _files.Dispose();
}
