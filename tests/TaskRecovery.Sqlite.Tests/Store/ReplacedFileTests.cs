using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>A file that is copied, deleted, replaced or linked while a process uses it: nothing is acknowledged that would be
/// lost.</summary>
public sealed partial class ReplacedFileTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task Nothing_is_acknowledged_after_the_database_was_deleted()
    {
        var store = await StoreWithOneEntryAsync();
        File.Delete(_files.File);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));
        var again = await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));

        Assert.All([error, again], found => Assert.Contains($"'{_files.File}' is gone", found.Message, StringComparison.Ordinal));
        Assert.False(File.Exists(_files.File));
    }

    [Fact]
    public async Task Nothing_is_acknowledged_after_the_database_was_replaced()
    {
        var store = await StoreWithOneEntryAsync();
        File.Move(_files.File, _files.File + ".away");
        await File.WriteAllBytesAsync(_files.File, await File.ReadAllBytesAsync(_files.File + ".away"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.CountAsync(null, CancellationToken.None));
    }

    [Fact]
    public async Task Every_call_of_a_group_is_refused_when_the_database_is_gone()
    {
        var store = await StoreWithOneEntryAsync();
        Task<long>[] enqueues;
        await using (var connection = _files.Connect())
        await using (await connection.BeginTransactionAsync())
        {
            enqueues = [.. Enumerable.Range(0, 20).Select(_ => EnqueueAsync(store))];
            File.Move(_files.File, _files.File + ".away");
        }

        foreach (var enqueue in enqueues)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => enqueue);
        }
    }

    [Fact]
    public async Task A_database_that_was_put_back_is_used_again()
    {
        var store = await StoreWithOneEntryAsync();
        File.Move(_files.File, _files.File + ".away");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));
        File.Move(_files.File + ".away", _files.File);

        var entry = await EnqueueAsync(store);

        Assert.NotNull(await store.FindAsync(entry, CancellationToken.None));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-shm")]
    public async Task Nothing_is_acknowledged_after_a_file_of_the_log_was_deleted(string file)
    {
        var store = await StoreWithOneEntryAsync();
        File.Delete(_files.File + file);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));

        // Other connections of this process still have the old log open: a new one beside it would damage the database.
        await Assert.ThrowsAsync<StoreUnavailableException>(() => EnqueueAsync(store));
        Assert.Contains("vacuum into", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_is_in_use_elsewhere_is_not_copied_into_the_database_at_the_end()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        await EnqueueAsync(store);
        var before = new FileInfo(_files.File).Length;
        File.Delete(_files.File + "-wal");

        store.Dispose();
        database.Dispose();

        Assert.Equal(before, new FileInfo(_files.File).Length);
    }

    [Fact]
    public async Task A_log_that_was_replaced_is_not_copied_and_not_looked_at_either()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        using var session = database.OpenReader();
        File.Delete(_files.File + "-wal");

        Assert.Throws<FileReplacedException>(() => session.Checkpoint());
        Assert.Throws<FileReplacedException>(() => session.ReadLog());
    }

    [Fact]
    public async Task A_callers_transaction_is_refused_when_the_database_is_gone()
    {
        var store = await StoreWithOneEntryAsync();
        await using var connection = _files.Connect();
        await using var transaction = await connection.BeginTransactionAsync();
        File.Move(_files.File, _files.File + ".away");

        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-shm")]
    public async Task A_callers_transaction_is_refused_when_a_file_of_the_log_was_deleted(string file)
    {
        var store = await StoreWithOneEntryAsync();
        await using var connection = _files.Connect();
        await using var transaction = await connection.BeginTransactionAsync();
        File.Delete(_files.File + file);

        var error = await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));

        Assert.Contains($"'{_files.File}{file}' was deleted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_callers_transaction_is_refused_when_the_log_was_deleted_that_the_first_connection_did_not_have()
    {
        await GivenCopyAsync();
        var store = _files.Store(_files.Open(static options => options.MigrateOnStart = false));
        await store.PrepareAsync(CancellationToken.None);
        Assert.False(File.Exists(_files.File + "-wal"));
        await EnqueueAsync(store);
        await using var connection = _files.Connect();
        await using var transaction = await connection.BeginTransactionAsync();
        File.Delete(_files.File + "-wal");

        await Assert.ThrowsAsync<StoreUnavailableException>(
            async () => await store.EnqueueAsync([TemporaryDatabase.Entry()], transaction, CancellationToken.None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reader_that_is_older_than_the_log_learns_that_the_log_was_deleted_and_does_not_copy_it_at_the_end(bool reads)
    {
        await GivenCopyAsync();
        var database = _files.Open(static options => options.MigrateOnStart = false);
        var store = await PreparedAsync(database);
        Assert.False(File.Exists(_files.File + "-wal"));
        await EnqueueAsync(store);
        Assert.Equal(1, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
        File.Delete(_files.File + "-wal");

        if (reads)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.CountAsync(null, CancellationToken.None));
        }

        store.Dispose();
        database.Dispose();

        await using var connection = _files.Connect();
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from taskrecovery_entries";
        Assert.Equal(0L, await command.ExecuteScalarAsync());
    }

    [Theory]
    [InlineData("-wal")]
    [InlineData("-shm")]
    public async Task A_heartbeat_and_a_poll_are_refused_when_a_file_of_the_log_was_deleted(string file)
    {
        var store = await StoreWithOneEntryAsync();
        using var session = TemporaryDatabase.Join(store, "worker", out var id);
        var poll = new PollRequest(id, ["default"], ["work"], WithUnknownKinds: false);
        await store.PollAsync(poll, CancellationToken.None);
        File.Delete(_files.File + file);

        Assert.Throws<StoreUnavailableException>(() => session.SendHeartbeat(id, true, static () => true));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.PollAsync(poll, CancellationToken.None));
    }

    [Fact]
    public async Task A_new_connection_does_not_take_another_log_for_its_own()
    {
        var database = _files.Open();
        await EnqueueAsync(await PreparedAsync(database));
        File.Delete(_files.File + "-wal");

        Assert.Throws<FileReplacedException>(() => database.OpenReader());
    }

    [Fact]
    public async Task A_log_that_began_anew_after_the_last_connection_had_closed_was_not_replaced()
    {
        using (var creator = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System))
        {
            await new SqliteMigrator(creator).MigrateAsync();
        }

        var database = _files.Open();
        for (var round = 0; round < 3; round++)
        {
            using (database.OpenReader())
            {
                database.ConfirmFile();
            }

            Assert.False(File.Exists(_files.File + "-wal"));
            database.ConfirmFile();
        }
    }

    [Fact]
    public async Task A_database_with_two_names_is_refused()
    {
        await StoreWithOneEntryAsync();
        Assert.Equal(0, Link(_files.File, Path.Combine(_files.Folder, "second.db")));

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(() => _files.OpenStoreAsync());

        Assert.Contains("2 names", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_to_the_folder_gives_the_same_locks()
    {
        var store = await StoreWithOneEntryAsync();
        using var session = store.OpenNodeSession();
        var identity = TemporaryDatabase.Identity("worker");
        session.Register(identity);
        using var elsewhere = new TemporaryDatabase();
        var link = Path.Combine(elsewhere.Folder, "link");
        Directory.CreateSymbolicLink(link, _files.Folder);

        using var through = new SqliteDatabase($"Data Source={Path.Combine(link, "tasks.db")}", new SqliteOptions(), TimeProvider.System);

        Assert.Equal(_files.File, through.Path);
        Assert.True(through.Locks.Works(identity.Id));
    }

    [Fact]
    public void A_database_that_is_mounted_as_a_single_file_is_refused()
    {
        var file = new SqliteFile(_files.ConnectionString);
        var facts = new FileFacts(Exists: true, Device: 1, Inode: 2, Links: 1, IsMountPoint: false, Mount: null);

        file.RefuseSeveralNames(facts);
        var error = Assert.Throws<StoreConfigurationException>(() => file.RefuseSeveralNames(facts with { IsMountPoint = true }));

        Assert.Contains("mounted as a single file", error.Message, StringComparison.Ordinal);
        Assert.Contains(_files.File, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_a_mount_of_its_own_is_told_from_others()
    {
        var mounts = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]).Where(File.Exists).ToList()
            : [];

        Assert.All(mounts, mount => Assert.True(FileFacts.Read(mount) is null or { IsMountPoint: true }, mount));
        Assert.True(
            FileFacts.Read(typeof(ReplacedFileTests).Assembly.Location) is null or { IsMountPoint: false, Links: >= 1, Exists: true });
        Assert.True(FileFacts.Read(_files.File + ".missing") is null or { Exists: false });
    }

    public void Dispose() => _files.Dispose();

    private static async Task<long> EnqueueAsync(SqliteQueueStore store)
        => Assert.Single(await store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None)).Id;

    // A copy that SQLite made has no write-ahead log.
    private async Task GivenCopyAsync()
    {
        var original = $"Data Source={_files.File}.original";
        using (var database = new SqliteDatabase(original, new SqliteOptions(), TimeProvider.System))
        {
            await new SqliteMigrator(database).MigrateAsync();
        }

        await using var connection = new SqliteConnection($"{original};Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"vacuum into '{_files.File}'";
        await command.ExecuteNonQueryAsync();
    }

    private async Task<SqliteQueueStore> PreparedAsync(SqliteDatabase database)
    {
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        return store;
    }

    private async Task<SqliteQueueStore> StoreWithOneEntryAsync()
    {
        var store = await _files.OpenStoreAsync();
        await EnqueueAsync(store);
        return store;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string from, string to);
}
