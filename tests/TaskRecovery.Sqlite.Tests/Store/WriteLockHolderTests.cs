using System.Text.Json;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Who holds the write lock, and what to do about it, is in the warning and in the final error.</summary>
public sealed class WriteLockHolderTests : IDisposable
{
    private const string Unknown = "by another connection";

    // Only Linux lists the locks of files; elsewhere nothing is known of the holder, and the advice covers every case.
    private static readonly bool IsListed = OperatingSystem.IsLinux();
    private static readonly string OwnTransaction = IsListed ? "by a transaction that this process opened itself" : Unknown;

    private readonly TemporaryDatabase _files = new();
    private readonly ListLogger _log = new();
    private SqliteDatabase? _database;

    [Fact]
    public async Task Another_process_is_named()
    {
        var store = await OpenAsync();
        await using var other = await HoldElsewhereAsync();

        var enqueue = EnqueueAsync(store);
        var reported = await _log.WaitForAsync(5001);
        EndTheWait();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => enqueue);

        Assert.All([reported, error.Message], text =>
        {
            Assert.Contains(IsListed ? $"by process {other.Id} (dotnet)" : Unknown, text, StringComparison.Ordinal);
            Assert.Equal(!IsListed, text.Contains("pass ", StringComparison.Ordinal));
        });
    }

    [Fact]
    public async Task A_transaction_of_this_process_is_to_be_passed()
    {
        var store = await OpenAsync();
        await using var transaction = _files.Connect().BeginTransaction();

        var enqueue = EnqueueAsync(store);
        var reported = await _log.WaitForAsync(5001);
        EndTheWait();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => enqueue);

        Assert.All([reported, error.Message], static text =>
        {
            Assert.Contains(OwnTransaction, text, StringComparison.Ordinal);
            Assert.Contains(
                IsListed ? "If it is the caller's, pass it to the call" : "pass the transaction to the call", text,
                StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_second_transaction_of_the_caller_is_to_be_ended()
    {
        var store = await OpenAsync();
        await using var passed = _files.Connect().BeginTransaction(deferred: true);
        await using var other = _files.Connect().BeginTransaction();

        var enqueue = store.EnqueueAsync([TemporaryDatabase.Entry()], passed, CancellationToken.None).AsTask();
        var reported = await _log.WaitForAsync(5001);
        EndTheWait();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => enqueue);

        Assert.All([reported, error.Message], static text =>
        {
            Assert.Contains(OwnTransaction, text, StringComparison.Ordinal);
            Assert.Contains(
                IsListed ? "If it is the caller's too, end it before the call" : "Keep your own transactions on this file short", text,
                StringComparison.Ordinal);
        });
    }

    /// <summary>The holder is found when the wait is reported, and again when it ends.</summary>
    [Theory]
    [InlineData(false, true, true, true)]
    [InlineData(false, true, false, false)]
    [InlineData(false, false, true, false)]
    [InlineData(true, true, true, true)]
    [InlineData(true, true, false, false)]
    [InlineData(true, false, true, false)]
    public async Task A_wait_counts_as_one_for_this_process_only_if_it_held_the_lock_at_both_moments(
        bool passesOne, bool isOwnAtReport, bool isOwnAtEnd, bool isHeldByThisProcess)
    {
        var store = await OpenAsync();
        var found = 0;
        _database!.Writer.HolderOf = _ => new WriteLockHolder(
            (Interlocked.Increment(ref found) == 1 ? isOwnAtReport : isOwnAtEnd) ? Environment.ProcessId : Environment.ProcessId + 1);
        await using var passed = passesOne ? _files.Connect().BeginTransaction(deferred: true) : null;
        await using var held = _files.Connect().BeginTransaction();

        var enqueue = store.EnqueueAsync([TemporaryDatabase.Entry()], passed, CancellationToken.None).AsTask();
        await _log.WaitForAsync(5001);
        EndTheWait();
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => enqueue);

        Assert.Equal(isHeldByThisProcess, error.IsHeldByThisProcess);
    }

    [Fact]
    public async Task A_file_without_a_lock_or_that_does_not_exist_has_no_holder()
    {
        await OpenAsync();

        Assert.Equal(default, WriteLockHolder.Find(_files.File));
        Assert.Equal(default, WriteLockHolder.Find(_files.File + ".missing"));
        Assert.Equal("another connection", default(WriteLockHolder).ToString());
        Assert.Contains("pass the transaction", default(WriteLockHolder).ToAdvice(hasTransaction: false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, "1: POSIX  ADVISORY  WRITE 12 08:01:5678 120 120")]
    [InlineData(12, "1: POSIX  ADVISORY  WRITE 12 08:01:5678 0 EOF")]
    [InlineData(12, "1: POSIX  ADVISORY  READ  11 08:01:5678 124 124", "2: POSIX  ADVISORY  WRITE 12 08:01:5678 120 121")]
    [InlineData(12, "1: -> POSIX  ADVISORY  WRITE 11 08:01:5678 120 120", "2: POSIX  ADVISORY  WRITE 12 08:01:5678 120 120")]
    [InlineData(null)]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 12 08:02:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 12 08:01:15678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  READ  12 08:01:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 12 08:01:5678 121 127")]
    [InlineData(null, "1: FLOCK  ADVISORY  WRITE 12 08:01:5678 0 EOF")]
    [InlineData(null, "1: OFDLCK ADVISORY  WRITE -1 08:01:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 0 08:01:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE -7 08:01:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 99999999999 08:01:5678 120 120")]
    [InlineData(null, "1: POSIX  ADVISORY  WRITE 12 08:01:5678", "", "anything else")]
    public void The_holder_is_the_process_whose_lock_covers_the_byte(int? process, params string[] locks)
        => Assert.Equal(process, WriteLockHolder.FindProcess(locks, "08:01:5678"));

    [Fact]
    public void A_very_long_list_is_not_read_to_its_end()
    {
        var read = 0;
        var locks = Enumerable.Range(0, int.MaxValue).Select(_ =>
        {
            read++;
            return "1: POSIX  ADVISORY  READ  12 08:01:1 0 EOF";
        });

        Assert.Null(WriteLockHolder.FindProcess(locks, "08:01:5678"));
        Assert.InRange(read, 1, 100_000);
    }

    public void Dispose() => _files.Dispose();

    private static async Task EnqueueAsync(SqliteQueueStore store)
        => await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

    private async Task<SqliteQueueStore> OpenAsync()
    {
        _database = _files.Open(static options => options.BusyTimeout = TimeSpan.FromMinutes(10), log: _log);
        _database.Writer.ReportAfter = TimeSpan.FromMilliseconds(100);
        var store = _files.Store(_database);
        await store.PrepareAsync(CancellationToken.None);
        return store;
    }

    private void EndTheWait() => _database!.Options.BusyTimeout = TimeSpan.Zero;

    private async Task<ChildProcess> HoldElsewhereAsync()
    {
        var host = Path.Combine(AppContext.BaseDirectory.Replace(
            "TaskRecovery.Sqlite.Tests", "TaskRecovery.Crash.Host", StringComparison.Ordinal), "TaskRecovery.Crash.Host.dll");
        var child = ChildProcess.StartDotnet(host, [JsonSerializer.Serialize(
            new { SqliteFile = _files.File, JournalFile = Path.Combine(_files.Folder, "none"), HoldsWriteLock = true })]);
        await child.WaitForLineAsync("holds");
        return child;
    }
}
