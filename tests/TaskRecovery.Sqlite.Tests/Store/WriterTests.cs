using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>One writer: durable, in groups, and patient with whoever else writes.</summary>
public sealed partial class WriterTests : IDisposable
{
    private const long Normal = 1;
    private const long Full = 2;

    private readonly TemporaryDatabase _files = new();

    [Theory]
    [InlineData(SqliteSynchronous.Full, Full)]
    [InlineData(SqliteSynchronous.Normal, Normal)]
    public async Task Commits_wait_for_what_the_option_says(SqliteSynchronous option, long expected)
    {
        var database = _files.Open(options => options.Synchronous = option);

        var (synchronous, mode, foreignKeys) = await database.WriteAsync(
            session => (ReadSynchronous(session), session.Query("pragma journal_mode"), session.Query("pragma foreign_keys")),
            CancellationToken.None);

        Assert.Equal((expected, "wal", "1"), (synchronous, mode, foreignKeys));
    }

    [Fact]
    public async Task The_library_trusts_nothing_in_the_files_schema_and_leaves_little_behind()
    {
        var database = _files.Open();
        string[] settings = ["trusted_schema", "cell_size_check", "secure_delete", "fullfsync", "checkpoint_fullfsync"];

        var writer = await database.WriteAsync(
            session => settings.Select(name => session.Query($"pragma {name}")).ToList(), CancellationToken.None);
        var reader = await database.ReadAsync(
            session => settings.Take(2).Select(name => session.Query($"pragma {name}")).ToList(), CancellationToken.None);
        await database.WriteAsync(
            session =>
            {
                session.Execute("pragma writable_schema = on");
                Assert.ThrowsAny<SqliteException>(() => session.Execute("delete from sqlite_schema"));
                return true;
            },
            CancellationToken.None);

        Assert.Equal(["0", "1", "2", "1", "1"], writer);
        Assert.Equal(["0", "1"], reader);
    }

    [Fact]
    public void The_default_waits_for_the_disk() => Assert.Equal(SqliteSynchronous.Full, new SqliteOptions().Synchronous);

    [Fact]
    public async Task A_relaxed_write_does_not_relax_those_after_it()
    {
        var database = _files.Open();

        var beat = database.Write(ReadSynchronous, relaxed: true);
        var write = await database.WriteAsync(ReadSynchronous, CancellationToken.None);
        var beatAgain = database.Write(ReadSynchronous, relaxed: true);

        Assert.Equal((Normal, Full, Normal), (beat, write, beatAgain));
    }

    [Fact]
    public async Task Writes_that_were_asked_for_meanwhile_share_one_commit()
    {
        var database = _files.Open();
        database.Writer.MaxGroupTime = TimeSpan.FromMinutes(1);
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        Task<EnqueueResult[]>[] enqueues;
        long before;
        using (await HoldWriteLockAsync())
        {
            before = database.Writer.Commits;
            enqueues = [.. Enumerable.Range(0, 100).Select(
                _ => store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask())];
            Assert.All(enqueues, static enqueue => Assert.False(enqueue.IsCompleted));
        }

        var ids = (await Task.WhenAll(enqueues)).Select(results => results[0].Id).ToArray();

        Assert.Equal(100, ids.Distinct().Count());
        Assert.InRange(database.Writer.Commits - before, 1, 3);
    }

    /// <summary>What need not reach the disk is no part of a commit that must, if it was asked for first.</summary>
    [Theory]
    [InlineData("report")]
    [InlineData("log")]
    [InlineData("statistics")]
    public async Task What_runs_say_of_themselves_does_not_wait_for_the_disk(string what)
    {
        var database = _files.Open();
        database.Writer.MaxGroupTime = TimeSpan.FromMinutes(1);
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        var runInfo = new SqliteRunInfoStore(database);
        long before;
        Task first;
        Task<long> second;
        using (await HoldWriteLockAsync())
        {
            before = database.Writer.Commits;
            first = what switch
            {
                "report" => runInfo.SaveReportAsync(Guid.NewGuid(), 1, 1, 1, null, null, CancellationToken.None).AsTask(),
                "log" => runInfo.AppendLogAsync([], CancellationToken.None).AsTask(),
                _ => new SqliteMonitorStore(database).AddStatisticsAsync([], CancellationToken.None).AsTask(),
            };
            second = database.WriteAsync(ReadSynchronous, CancellationToken.None).AsTask();
        }

        await first;

        Assert.Equal(Full, await second);
        Assert.Equal(2, database.Writer.Commits - before);
    }

    [Fact]
    public async Task A_write_that_fails_fails_alone()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        Task<EnqueueResult[]> first, last;
        Task<int> failing;
        using (await HoldWriteLockAsync())
        {
            first = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
            failing = database.WriteAsync<int>(_ => throw new InvalidOperationException("mine"), CancellationToken.None).AsTask();
            last = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
        }

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => failing);

        Assert.Equal("mine", error.Message);
        Assert.NotEqual((await first)[0].Id, (await last)[0].Id);
        Assert.Equal(2, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_cancelled_write_that_has_not_begun_is_not_made()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        Task<EnqueueResult[]> cancelled;
        using (await HoldWriteLockAsync())
        {
            // One that the writer holds in its hands, and one behind it.
            _ = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
            cancelled = store.EnqueueAsync([TemporaryDatabase.Entry()], null, cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

        Assert.Equal(2, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_write_with_a_limit_that_has_to_run_again_after_it_is_taken_back()
    {
        var write = new SqliteWrite<int>("Test", static _ => 1, WriteKind.Ordinary, CancellationToken.None);
        Assert.True(write.TryBegin());
        var waiting = Task.Run(() => write.WaitOrTakeBack(TimeSpan.Zero));

        // As the writer does if the group is rolled back.
        write.Again();

        Assert.False(await waiting.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.False(write.TryBegin());
    }

    [Fact]
    public async Task A_write_with_a_limit_that_has_begun_is_answered_with_its_result()
    {
        var write = new SqliteWrite<int>("Test", static _ => 1, WriteKind.Ordinary, CancellationToken.None);
        Assert.True(write.TryBegin());
        var waiting = Task.Run(() => write.WaitOrTakeBack(TimeSpan.Zero));

        write.Succeed();

        Assert.True(await waiting.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public async Task A_write_that_waits_behind_others_of_its_rolled_back_group_can_be_taken_back()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        using var leave = new SemaphoreSlim(0);
        var again = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SqliteWrite<int> behind;
        Task<int> first;

        // Again if the group was divided, because the first write took too long.
        do
        {
            var runs = 0;
            behind = new SqliteWrite<int>(
                "Test", static _ => throw new InvalidOperationException("mine"), WriteKind.Ordinary, CancellationToken.None);
            using (await HoldWriteLockAsync())
            {
                // Runs in the group, and then alone, while the other one waits.
                first = database.WriteAsync(
                    _ =>
                    {
                        if (++runs == 2)
                        {
                            again.SetResult();
                            leave.Wait(TimeSpan.FromSeconds(60));
                        }

                        return runs;
                    },
                    CancellationToken.None).AsTask();
                database.Writer.Add(behind);
            }
        }
        while (await Task.WhenAny(first, again.Task) == first);

        var isTakenBack = behind.TryTakeBack();
        leave.Release();

        Assert.Equal(2, await first);
        Assert.True(isTakenBack);
    }

    [Fact]
    public async Task A_file_that_stays_locked_is_unavailable_and_says_why()
    {
        var store = await _files.OpenStoreAsync(options => options.BusyTimeout = TimeSpan.FromSeconds(1));
        using (await HoldWriteLockAsync())
        {
            var error = await Assert.ThrowsAsync<StoreUnavailableException>(
                async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None));

            Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
            Assert.Contains("transaction", error.Message, StringComparison.Ordinal);
            Assert.Equal(0, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
        }

        await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_write_that_waits_for_the_lock_is_reported_with_the_call()
    {
        var log = new ListLogger();
        var store = _files.Store(_files.Open(log: log));
        await store.PrepareAsync(CancellationToken.None);
        Task<EnqueueResult[]> enqueue;
        using (await HoldWriteLockAsync())
        {
            enqueue = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
            var reported = await log.WaitForAsync(5001);

            Assert.Contains("EnqueueAsync", reported, StringComparison.Ordinal);
        }

        await enqueue;
        await log.WaitForAsync(5002);
    }

    [Fact]
    public async Task A_write_that_nobody_waits_for_any_more_is_never_stored_whenever_the_lock_is_free()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var cancellation = new CancellationTokenSource();
        using (await HoldWriteLockAsync())
        {
            // The very one that the writer waits with.
            var enqueue = store.EnqueueAsync([TemporaryDatabase.Entry()], null, cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => enqueue);
        }

        await database.WriteAsync(static _ => true, CancellationToken.None);

        Assert.Equal(0, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task The_log_is_copied_beside_the_writer_and_starts_anew()
    {
        var store = await _files.OpenStoreAsync();
        var args = $"\"{new string('x', 100_000)}\"";

        for (var round = 0; round < 1500; round++)
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry(args)], null, CancellationToken.None);
        }

        // The pages of the arguments alone are 154 MB.
        Assert.InRange(new FileInfo(_files.File + "-wal").Length, 0, 150_000_000);
    }

    [Fact]
    public async Task A_log_that_a_reader_keeps_from_starting_anew_is_reported()
    {
        var log = new ListLogger();
        var store = _files.Store(_files.Open(log: log));
        await store.PrepareAsync(CancellationToken.None);
        using var read = _files.Connect().BeginTransaction(deferred: true);
        using (var command = read.Connection!.CreateCommand())
        {
            command.Transaction = read;
            command.CommandText = "select count(*) from taskrecovery_nodes";
            command.ExecuteScalar();
        }

        var args = $"\"{new string('x', 1_000_000)}\"";
        for (var round = 0; round < 100; round++)
        {
            await store.EnqueueAsync([TemporaryDatabase.Entry(args)], null, CancellationToken.None);
        }

        Assert.Contains("read transaction", await log.WaitForAsync(5003), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_writers_of_one_file_both_get_their_turn()
    {
        var one = await _files.OpenStoreAsync();
        var two = await _files.OpenStoreAsync();

        await Task.WhenAll(new[] { one, two }.Select(store => Task.Run(async () =>
        {
            for (var round = 0; round < 200; round++)
            {
                await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
            }
        })));

        Assert.Equal(400, (await one.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_closed_store_says_that_it_is_closed()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        database.Dispose();

        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.FindAsync(1, CancellationToken.None));
    }

    public void Dispose() => _files.Dispose();

    private static long ReadSynchronous(SqliteSession session) => session.Get("pragma synchronous").Scalar() ?? -1;

    private async Task<IDisposable> HoldWriteLockAsync()
    {
        var connection = _files.Connect();
        return await connection.BeginTransactionAsync(CancellationToken.None) as SqliteTransaction ?? throw new InvalidOperationException();
    }
}
