using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>A node whose file another one can't open stores its heartbeats, until the file can be read again.</summary>
public sealed class PeerFileTests : IDisposable
{
    private const int PeerFileIsUnreadable = 5103;
    private const int OwnFileIsUnreadable = 5104;
    private const int HasTooManyOpen = 5105;
    private const int TooManyOpenFiles = 24;

    private static readonly Func<bool> Valid = static () => true;

    private readonly TemporaryDatabase _files = new();
    private readonly RecordedLog _workersLog = new();
    private readonly RecordedLog _watchersLog = new();
    private readonly LaterTime _time = new();

    [Fact]
    public async Task Both_sides_report_a_file_that_cannot_be_read_once()
    {
        var (worker, id, watcher, watcherId, database) = await JoinAsync();
        Refuse(database);

        for (var round = 0; round < 4; round++)
        {
            WatchAndAsk(watcher, watcherId, id, database);
            worker.SendHeartbeat(id, true, Valid);
        }

        var seen = Assert.Single(_watchersLog.Entries, static entry => entry.Id == PeerFileIsUnreadable);
        var asked = Assert.Single(_workersLog.Entries, static entry => entry.Id == OwnFileIsUnreadable);
        Assert.All([seen, asked], entry => Assert.Contains($"{id:N}-heartbeat", entry.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_file_is_tried_again_after_some_minutes_and_given_up_again_if_it_still_cannot_be_read()
    {
        var (worker, id, watcher, watcherId, database) = await JoinAsync();
        Refuse(database);
        Watch(watcher, watcherId, id);
        WatchAndAsk(watcher, watcherId, id, database);
        worker.SendHeartbeat(id, true, Valid);

        _time.Later = TimeSpan.FromMinutes(9);
        worker.SendHeartbeat(id, true, Valid);
        _time.Later = TimeSpan.FromMinutes(11);
        worker.SendHeartbeat(id, true, Valid);
        var stored = _files.StoredHeartbeats(id);
        worker.SendHeartbeat(id, true, Valid);
        worker.SendHeartbeat(id, true, Valid);
        var inFile = _files.StoredHeartbeats(id);
        WatchAndAsk(watcher, watcherId, id, database);
        var askedAgain = _files.StoredHeartbeats(id);
        worker.SendHeartbeat(id, true, Valid);

        // Joined, asked, and three times stored.
        Assert.Equal((5, 5, 6, 7), (stored, inFile, askedAgain, _files.StoredHeartbeats(id)));
    }

    [Fact]
    public async Task A_file_that_is_given_up_again_at_once_is_not_tried_with_each_heartbeat()
    {
        var (worker, id, watcher, watcherId, database) = await JoinAsync();
        Refuse(database);
        Watch(watcher, watcherId, id);
        WatchAndAsk(watcher, watcherId, id, database);
        worker.SendHeartbeat(id, true, Valid);

        _time.Later = TimeSpan.FromMinutes(11);
        worker.SendHeartbeat(id, true, Valid);
        var stored = _files.StoredHeartbeats(id);
        WatchAndAsk(watcher, watcherId, id, database);
        var askedAgain = _files.StoredHeartbeats(id);
        worker.SendHeartbeat(id, true, Valid);
        WatchAndAsk(watcher, watcherId, id, database);

        // Joined, asked, and twice stored; then asked once more.
        Assert.Equal((4, 5, 6), (stored, askedAgain, _files.StoredHeartbeats(id)));
    }

    [Fact]
    public async Task A_node_whose_file_cannot_be_read_is_not_declared_dead_before_it_was_asked_to_store_its_heartbeats()
    {
        var (_, id, watcher, watcherId, database) = await JoinAsync();
        Refuse(database);

        var early = watcher.MarkDead([Watch(watcher, watcherId, id)]);
        var asked = _files.StoredHeartbeats(id);
        var later = watcher.MarkDead([Watch(watcher, watcherId, id)]);

        Assert.Empty(early);
        Assert.Equal(2, asked);
        Assert.Equal([id], later);
    }

    [Fact]
    public async Task A_node_with_too_many_open_files_judges_by_what_it_has_open_and_asks_for_nothing()
    {
        var (worker, id, watcher, watcherId, database) = await JoinAsync();
        var before = Watch(watcher, watcherId, id);
        RefuseAsTooMany(database);

        for (var round = 0; round < 3; round++)
        {
            Watch(watcher, watcherId, id);
        }

        worker.SendHeartbeat(id, true, Valid);
        var after = Watch(watcher, watcherId, id);
        database.Write(static _ => true, relaxed: false);

        // Only Linux tells whether an open file is the one that a path names.
        Guid[] dead = OperatingSystem.IsLinux() ? [id] : [];
        Assert.True(after.Heartbeat > before.Heartbeat);
        Assert.Empty(watcher.MarkDead([before]));
        Assert.Equal(dead, watcher.MarkDead([after]));
        Assert.Equal(1, _files.StoredHeartbeats(id));
        Assert.Equal([HasTooManyOpen], _watchersLog.Entries.Select(static entry => entry.Id));
    }

    [Fact]
    public async Task A_node_with_too_many_open_files_judges_no_node_by_a_file_that_was_replaced()
    {
        var (worker, id, watcher, watcherId, database) = await JoinAsync();
        Watch(watcher, watcherId, id);
        RefuseAsTooMany(database);
        File.Delete(database.Heartbeats.PathOf(id));
        worker.SendHeartbeat(id, true, Valid);

        var seen = Watch(watcher, watcherId, id);

        Assert.Empty(watcher.MarkDead([seen]));
    }

    [Fact]
    public async Task Each_shortage_of_open_files_is_reported_once()
    {
        var (_, id, watcher, watcherId, database) = await JoinAsync();
        var open = database.Heartbeats.OpenToRead;

        for (var shortage = 0; shortage < 2; shortage++)
        {
            RefuseAsTooMany(database);
            Watch(watcher, watcherId, id);
            Watch(watcher, watcherId, id);
            database.Heartbeats.OpenToRead = open;
            Watch(watcher, watcherId, id);
        }

        Assert.Equal([HasTooManyOpen, HasTooManyOpen], _watchersLog.Entries.Select(static entry => entry.Id));
    }

    [Fact]
    public async Task A_node_with_too_many_open_files_says_nothing_of_a_node_that_it_never_saw()
    {
        var (_, id, _, watcherId, database) = await JoinAsync();
        using var third = new SqliteNodeSession(database);
        RefuseAsTooMany(database);

        for (var round = 0; round < 3; round++)
        {
            Assert.Empty(third.SendHeartbeat(watcherId, true, Valid).Peers);
        }

        database.Write(static _ => true, relaxed: false);
        Assert.Equal(1, _files.StoredHeartbeats(id));
    }

    public void Dispose() => _files.Dispose();

    private static void Refuse(SqliteDatabase database)
        => database.Heartbeats.OpenToRead = static _ => throw new UnauthorizedAccessException("No rights.");

    private static void RefuseAsTooMany(SqliteDatabase database)
        => database.Heartbeats.OpenToRead = static _ => throw new IOException("Too many open files", TooManyOpenFiles);

    private static PeerHeartbeat Watch(INodeSession watcher, Guid watcherId, Guid node)
        => Assert.Single(watcher.SendHeartbeat(watcherId, true, Valid).Peers, peer => peer.NodeId == node);

    // What the watcher asks for is stored when this returns.
    private static void WatchAndAsk(INodeSession watcher, Guid watcherId, Guid node, SqliteDatabase database)
    {
        Watch(watcher, watcherId, node);
        database.Write(static _ => true, relaxed: false);
    }

    private async Task<(INodeSession Worker, Guid Id, INodeSession Watcher, Guid WatcherId, SqliteDatabase WatchersDatabase)> JoinAsync()
    {
        var store = _files.Store(_files.Open(time: _time, log: _workersLog));
        await store.PrepareAsync(CancellationToken.None);
        var database = _files.Open(log: _watchersLog);
        return (_files.Keep(TemporaryDatabase.Join(store, "worker", out var id)), id,
            _files.Keep(TemporaryDatabase.Join(_files.Store(database), "watcher", out var watcherId)), watcherId, database);
    }

    /// <summary>The clock of the system, but later.</summary>
    private sealed class LaterTime : TimeProvider
    {
        public TimeSpan Later { get; set; }

        public override long GetTimestamp() => base.GetTimestamp() + (long)(Later.TotalSeconds * TimestampFrequency);
    }
}
