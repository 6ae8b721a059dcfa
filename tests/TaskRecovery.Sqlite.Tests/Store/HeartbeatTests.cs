using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Heartbeats are counted in a file beside the database: they need no write lock, and no other process notices them.</summary>
public sealed class HeartbeatTests : IDisposable
{
    private static readonly Func<bool> Valid = static () => true;

    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_heartbeat_does_not_wait_for_a_transaction_of_the_application()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        using (_files.Connect().BeginTransaction())
        {
            var before = Watch(watcher, watcherId, id);
            var accepted = worker.SendHeartbeat(id, true, Valid).Accepted;
            var after = Watch(watcher, watcherId, id);

            Assert.True(accepted);
            Assert.True(after.Heartbeat > before.Heartbeat);
        }
    }

    [Fact]
    public async Task A_heartbeat_changes_nothing_that_another_process_would_notice()
    {
        var (store, other) = (await _files.OpenStoreAsync(), _files.Open());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var reader = other.OpenReader();
        var before = reader.ReadDataVersion();

        worker.SendHeartbeat(id, true, Valid);
        worker.SendHeartbeat(id, true, Valid);

        Assert.Equal(before, reader.ReadDataVersion());
    }

    [Fact]
    public async Task A_heartbeat_after_the_nodes_own_deadline_is_stored_and_stops_a_verdict_that_was_reached_before()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var judgedBy = Watch(watcher, watcherId, id).Heartbeat;

        Assert.True(worker.SendHeartbeat(id, true, static () => false).Accepted);

        Assert.False(watcher.MarkDead(id, judgedBy));
        Assert.Equal(2, _files.StoredHeartbeats(id));
    }

    [Fact]
    public async Task The_deadline_is_looked_at_when_the_counter_has_been_raised()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var before = Watch(watcher, watcherId, id).Heartbeat;
        long during = 0;

        worker.SendHeartbeat(id, true, () =>
        {
            during = Watch(watcher, watcherId, id).Heartbeat;
            return true;
        });

        Assert.True(during > before);
    }

    [Fact]
    public async Task A_node_that_was_declared_dead_finds_out_although_it_only_reads()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        Assert.True(watcher.MarkDead(id, Watch(watcher, watcherId, id).Heartbeat));

        Assert.False(worker.SendHeartbeat(id, true, Valid).Accepted);
    }

    [Fact]
    public async Task A_verdict_does_not_wait_for_a_transaction_of_the_application()
    {
        var (store, database) = (await _files.OpenStoreAsync(), _files.Open());
        var (other, patience) = (_files.Store(database), database.VerdictWait);
        var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        worker.Dispose();
        var heartbeat = Watch(watcher, watcherId, id).Heartbeat;
        using var untouched = new SqliteDatabase(_files.ConnectionString, new SqliteOptions(), TimeProvider.System);
        database.VerdictWait = untouched.VerdictWait;

        bool whileLocked;
        using (_files.Connect().BeginTransaction())
        {
            whileLocked = watcher.MarkDead(id, heartbeat);
        }

        database.VerdictWait = patience;
        Assert.False(whileLocked);
        Assert.True(watcher.SendHeartbeat(watcherId, true, Valid).Accepted);
        Assert.True(watcher.MarkDead(id, heartbeat));
    }

    [Fact]
    public async Task A_counter_that_was_deleted_is_there_again_with_the_next_heartbeat()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        worker.SendHeartbeat(id, true, Valid);
        var before = Watch(watcher, watcherId, id).Heartbeat;
        File.Delete(HeartbeatFile(id));

        worker.SendHeartbeat(id, true, Valid);

        Assert.True(Watch(watcher, watcherId, id).Heartbeat > before);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 })]
    public async Task A_torn_counter_is_followed_by_others(byte[] torn)
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        File.WriteAllBytes(HeartbeatFile(id), torn);
        var before = Watch(watcher, watcherId, id).Heartbeat;

        Assert.True(worker.SendHeartbeat(id, true, Valid).Accepted);

        Assert.NotEqual(before, Watch(watcher, watcherId, id).Heartbeat);
    }

    [Fact]
    public async Task A_counter_that_cannot_be_written_is_kept_in_the_database()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        Block(id);
        var before = Watch(watcher, watcherId, id).Heartbeat;

        Assert.True(worker.SendHeartbeat(id, true, Valid).Accepted);

        // The watcher may have asked for it meanwhile, which counts as one.
        Assert.InRange(_files.StoredHeartbeats(id), 2, 3);
        Assert.True(Watch(watcher, watcherId, id).Heartbeat > before);
    }

    [Fact]
    public async Task A_node_whose_files_are_gone_from_a_folder_that_became_read_only_keeps_its_lease()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        Block(id);
        Block(id, "");
        var before = Watch(watcher, watcherId, id);

        var holdsLock = worker.TryHold(id);
        var accepted = worker.SendHeartbeat(id, holdsLock, Valid).Accepted;
        using var next = store.OpenNodeSession();
        var holdsLockNext = next.TryHold(id);
        var acceptedNext = next.SendHeartbeat(id, holdsLockNext, Valid).Accepted;
        var after = Watch(watcher, watcherId, id);

        Assert.Equal((false, true, false, true), (holdsLock, accepted, holdsLockNext, acceptedNext));
        Assert.True(after.Heartbeat > before.Heartbeat);
        Assert.Equal((false, true), (after.SaysItHoldsLock, after.LockIsHeld));
    }

    [Fact]
    public async Task A_counter_that_another_node_cannot_read_is_kept_in_the_database_from_then_on()
    {
        var (store, database) = (await _files.OpenStoreAsync(), _files.Open());
        var other = _files.Store(database);
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        Block(id);
        Watch(watcher, watcherId, id);
        Watch(watcher, watcherId, id);
        database.Write(static _ => true, relaxed: false);
        Unblock(id);

        worker.SendHeartbeat(id, true, Valid);
        var asked = _files.StoredHeartbeats(id);
        worker.SendHeartbeat(id, true, Valid);

        // Registered, asked, and twice stored.
        Assert.Equal((3, 4), (asked, _files.StoredHeartbeats(id)));
    }

    [Fact]
    public async Task A_node_that_leaves_takes_its_counter_along()
    {
        var store = await _files.OpenStoreAsync();
        using var worker = TemporaryDatabase.Join(store, "worker", out var id);
        worker.SendHeartbeat(id, true, Valid);

        worker.Leave(id);

        Assert.Empty(Directory.GetFiles(_files.Folder, "*-node-*"));
    }

    public void Dispose() => _files.Dispose();

    private static PeerHeartbeat Watch(INodeSession watcher, Guid watcherId, Guid node)
        => Assert.Single(watcher.SendHeartbeat(watcherId, true, Valid).Peers, peer => peer.NodeId == node);

    private string HeartbeatFile(Guid id, string end = "-heartbeat")
        => Assert.Single(Directory.GetFileSystemEntries(_files.Folder, $"*{id:N}{end}"));

    // A folder in its place can be neither read nor written, whatever the user's rights.
    private void Block(Guid id, string end = "-heartbeat")
    {
        var file = HeartbeatFile(id, end);
        File.Delete(file);
        Directory.CreateDirectory(file);
    }

    private void Unblock(Guid id) => Directory.Delete(HeartbeatFile(id));
}
