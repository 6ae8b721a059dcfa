using System.Runtime.ExceptionServices;
using Microsoft.Data.Sqlite;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <content>Waits for the write lock.</content>
public sealed partial class WriterTests
{
    private const int WriteLockAwaited = 5001;

    [Fact]
    public async Task Time_behind_other_writes_of_this_process_does_not_count_as_a_wait_for_the_lock()
    {
        var log = new ListLogger();
        var database = _files.Open(static options => options.BusyTimeout = TimeSpan.FromMinutes(10), log: log);
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        var hourAgo = TimeProvider.System.GetTimestamp() - (3600 * TimeProvider.System.TimestampFrequency);
        var write = new SqliteWrite<int>("Test", static _ => 1, WriteKind.Ordinary, CancellationToken.None) { AddedAt = hourAgo };
        using (await HoldWriteLockAsync())
        {
            database.Writer.Add(write);
            Assert.Contains("(Test) for 00:00:", await log.WaitForAsync(WriteLockAwaited), StringComparison.Ordinal);
        }

        Assert.Equal(1, await write.Answer);
    }

    [Fact]
    public async Task The_writes_of_a_rolled_back_group_do_not_wait_for_the_lock_one_after_the_other()
    {
        var log = new RecordedLog();
        var database = _files.Open(static options => options.BusyTimeout = TimeSpan.FromSeconds(3), log: log);

        // On a machine that stands still, the writes must be one group all the same.
        database.Writer.MaxGroupTime = TimeSpan.FromMinutes(1);
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        await using var other = _files.Connect();
        SqliteTransaction? held = null;
        Task<int> first;
        Task[] behind;
        using (await HoldWriteLockAsync())
        {
            // Once it is stored, another connection takes the lock, before the others run alone.
            first = database.WriteAsync(
                session =>
                {
                    session.AfterCommit(() => held = other.BeginTransaction());
                    return 1;
                },
                CancellationToken.None).AsTask();
            behind =
            [
                database.WriteAsync(static _ => 2, CancellationToken.None).AsTask(),
                database.WriteAsync(static _ => 3, CancellationToken.None).AsTask(),
                database.WriteAsync<int>(_ => throw new InvalidOperationException("mine"), CancellationToken.None).AsTask(),
            ];
        }

        await first;
        var before = CountReports();
        var errors = new List<StoreUnavailableException>();
        foreach (var write in behind)
        {
            errors.Add(await Assert.ThrowsAsync<StoreUnavailableException>(() => write));
        }

        Assert.NotNull(held);
        held.Dispose();

        // Each wait is reported after two seconds.
        Assert.All(errors, static error => Assert.Contains("locked for 3 s", error.Message, StringComparison.Ordinal));
        Assert.InRange(CountReports() - before, 0, 1);

        int CountReports() => log.Entries.Count(static entry => entry.Id == WriteLockAwaited);
    }

    [Theory]
    [InlineData(10, 900, 901, 10)]
    [InlineData(10, 900, 1_900, 10)]
    [InlineData(10, 900, 1_901, 11)]
    [InlineData(900, 900, 60_900, 59_900)]
    public void Of_a_pause_in_which_the_process_was_stopped_a_second_counts_as_a_wait(int since, int pausedAt, int now, int expected)
    {
        Assert.Equal(Ticks(expected), SqliteWriter.WithoutStop(Ticks(since), Ticks(pausedAt), Ticks(now)));

        static long Ticks(int milliseconds) => milliseconds * TimeProvider.System.TimestampFrequency / 1_000;
    }

    [Fact]
    public async Task An_attempt_to_take_a_lock_that_another_connection_holds_throws_no_exception()
    {
        await _files.OpenStoreAsync();
        using var session = new SqliteSession(_files.Connect(), ownsConnection: false);
        session.Execute("pragma busy_timeout = 0");
        var exceptions = 0;
        bool whileHeld;
        using (await HoldWriteLockAsync())
        {
            var thread = Environment.CurrentManagedThreadId;
            EventHandler<FirstChanceExceptionEventArgs> count = (_, _) =>
                exceptions += Environment.CurrentManagedThreadId == thread ? 1 : 0;
            AppDomain.CurrentDomain.FirstChanceException += count;
            whileHeld = session.TryBeginImmediate();
            AppDomain.CurrentDomain.FirstChanceException -= count;
        }

        Assert.False(whileHeld);
        Assert.Equal(0, exceptions);
        Assert.True(session.TryBeginImmediate());
        session.Rollback();
    }
}
