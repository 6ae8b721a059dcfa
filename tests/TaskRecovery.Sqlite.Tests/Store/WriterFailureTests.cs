using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SQLitePCL;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>What goes wrong beside the writes fails none of them.</summary>
public sealed partial class WriterFailureTests : IDisposable
{
    // What the runtime throws if the operating system has no thread left.
    private static readonly Type AtThreadLimit = typeof(OutOfMemoryException);

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

        while (log.Entries.All(static entry => entry.Id != 5004) && TimeProvider.System.GetElapsedTime(limit) < TimeSpan.FromMinutes(5))
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

    [Fact]
    public async Task A_thread_for_checkpoints_that_cannot_be_started_fails_no_write_and_is_started_later()
    {
        var (log, refused, started) = (new RecordedLog(), 0, new TaskCompletionSource());
        var database = _files.Open(log: log, startThread: thread =>
        {
            if (thread.Name!.Contains("checkpoints", StringComparison.Ordinal))
            {
                if (Interlocked.Increment(ref refused) == 1)
                {
                    throw NoThread();
                }

                started.TrySetResult();
            }

            thread.Start();
        });
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        await using var connection = _files.Connect();
        var args = $"\"{new string('x', 500_000)}\"";
        var stored = 0;

        // Two writes share each transaction, so that the one whose thread is refused has two.
        while (!started.Task.IsCompleted && stored < 1_000)
        {
            Task<EnqueueResult[]> large, small;
            await using (await connection.BeginTransactionAsync())
            {
                large = store.EnqueueAsync([TemporaryDatabase.Entry(args)], null, CancellationToken.None).AsTask();
                small = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
            }

            await Task.WhenAll(large, small);
            stored += 2;
        }

        await started.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        Assert.Equal(stored, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
        Assert.Contains(log.Entries, static entry => entry.Id == 5004);
    }

    [Fact]
    public async Task An_action_after_the_commit_that_throws_fails_no_write_and_keeps_no_other_action_from_running()
    {
        var database = _files.Open();
        var (runs, actions) = (0, 0);

        var result = await database.WriteAsync(
            session =>
            {
                session.AfterCommit(static () => throw NoThread());
                session.AfterCommit(() => actions++);
                return ++runs;
            },
            CancellationToken.None);

        Assert.Equal((1, 1, 1), (result, runs, actions));
    }

    [Fact]
    public async Task A_writer_whose_thread_cannot_be_started_is_unavailable_until_it_can()
    {
        var starts = 0;
        var database = _files.Open(startThread: thread =>
        {
            if (Interlocked.Increment(ref starts) == 1)
            {
                throw NoThread();
            }

            thread.Start();
        });

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await database.WriteAsync(static _ => true, CancellationToken.None));
        Assert.True(await database.WriteAsync(static _ => true, CancellationToken.None).AsTask().WaitAsync(
            TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken));

        Assert.Contains("thread", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_commit_that_may_be_kept_is_repeated_for_no_write_of_its_group()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var database = _files.Open();
        database.Writer.MaxGroupTime = TimeSpan.FromMinutes(1);
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        Task<int> first, breaking;
        var (runs, breaks) = (0, 0);
        await using var connection = _files.Connect();
        await using (await connection.BeginTransactionAsync())
        {
            first = database.WriteAsync(_ => ++runs, CancellationToken.None).AsTask();
            breaking = database.WriteAsync(
                session =>
                {
                    session.Execute("create table scratch (value integer)");
                    BreakSync($"{_files.File}-wal");
                    return ++breaks;
                },
                CancellationToken.None).AsTask();
        }

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => first);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => breaking);

        Assert.Contains("unknown", error.Message, StringComparison.Ordinal);
        Assert.Equal((1, 1), (runs, breaks));
        Assert.True(await database.WriteAsync(static _ => true, CancellationToken.None));
    }

    public void Dispose() => _files.Dispose();

    private static Exception NoThread() => (Exception)Activator.CreateInstance(AtThreadLimit)!;

    // Lets the handles of a file refer to a device that accepts every byte and can't be synced.
    private static void BreakSync(string path)
    {
        using var device = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        foreach (var handle in Directory.GetFiles("/proc/self/fd").Where(handle => new FileInfo(handle).LinkTarget == path))
        {
            var number = int.Parse(Path.GetFileName(handle), CultureInfo.InvariantCulture);
            Assert.True(Duplicate((int)device.DangerousGetHandle(), number) >= 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int from, int to);
}
