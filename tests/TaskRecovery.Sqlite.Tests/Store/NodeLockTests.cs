using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Win32.SafeHandles;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>The locks by which nodes prove that they live.</summary>
public sealed class NodeLockTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task A_node_holds_a_file_beside_the_database_as_long_as_it_lives()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var session = TemporaryDatabase.Join(store, "worker", out var id);

        var alive = Watch(watcher, watcherId, id);
        session.Dispose();
        var gone = Watch(watcher, watcherId, id);

        Assert.Equal((true, true), (alive.SaysItHoldsLock, alive.LockIsHeld));
        Assert.Equal((true, false), (gone.SaysItHoldsLock, gone.LockIsHeld));
    }

    [Fact]
    public async Task A_session_that_broke_does_not_make_its_process_look_dead()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var session = TemporaryDatabase.Join(store, "worker", out var id);
        File.Move(_files.File, _files.File + ".away");
        Assert.Throws<StoreUnavailableException>(() => session.SendHeartbeat(id, true));
        File.Move(_files.File + ".away", _files.File);
        session.Dispose();

        var between = Watch(watcher, watcherId, id);
        using var next = store.OpenNodeSession();
        var held = next.TryHold(id);

        Assert.True(between.LockIsHeld);
        Assert.True(held);
        Assert.True(next.SendHeartbeat(id, held).Accepted);
        Assert.True(Watch(watcher, watcherId, id).LockIsHeld);
    }

    [Fact]
    public async Task An_error_beside_the_session_does_not_make_its_process_look_dead()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var hints = new FailingHints();
        var node = new AgentOf(store, hints);
        node.Agent.StepOnce();

        hints.Fails = true;
        node.Agent.StepOnce();
        var between = Watch(watcher, watcherId, node.Node!.Id);
        hints.Fails = false;
        node.Agent.StepOnce();
        var after = Watch(watcher, watcherId, node.Node.Id);
        node.Agent.Abandon();

        Assert.Equal((true, true), (between.LockIsHeld, after.LockIsHeld));
        Assert.True(after.Heartbeat > between.Heartbeat);
    }

    [Fact]
    public async Task A_registration_that_may_be_stored_although_it_failed_leaves_its_name_to_the_next_one()
    {
        var time = new WatchedTime();
        var store = await _files.OpenStoreAsync(time: time);
        using var session = store.OpenNodeSession();
        var failed = TemporaryDatabase.Identity("worker");
        time.OnNow = () =>
        {
            time.OnNow = null;
            File.Move(_files.File, _files.File + ".away");
        };
        Assert.Throws<StoreUnavailableException>(() => session.Register(failed));
        File.Move(_files.File + ".away", _files.File);

        using var next = store.OpenNodeSession();
        var registration = next.Register(TemporaryDatabase.Identity("worker"));

        Assert.False(registration.NameTaken);
        Assert.Equal([failed.Id], registration.TakenOver);
    }

    [Fact]
    public async Task A_lock_file_that_somebody_deleted_proves_nothing()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        using var session = TemporaryDatabase.Join(store, "worker", out var id);
        File.Delete(Assert.Single(Directory.GetFiles(_files.Folder, $"*{id:N}")));

        Assert.True(Watch(watcher, watcherId, id).LockIsHeld);
    }

    [Fact]
    public async Task A_lock_file_that_was_replaced_proves_nothing_and_the_next_heartbeat_locks_the_new_one()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var session = TemporaryDatabase.Join(store, "worker", out var id);
        var file = Assert.Single(Directory.GetFiles(_files.Folder, $"*{id:N}"));
        File.Move(file, file + ".away");
        await File.WriteAllTextAsync(file, "1");

        var replaced = Watch(watcher, watcherId, id);
        session.SendHeartbeat(id, true);
        var healed = Watch(watcher, watcherId, id);
        session.Dispose();
        var gone = Watch(watcher, watcherId, id);

        Assert.Equal((true, true, false), (replaced.LockIsHeld, healed.LockIsHeld, gone.LockIsHeld));
    }

    [Fact]
    public async Task A_node_without_a_lock_of_its_own_takes_every_lock_for_held()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        var session = TemporaryDatabase.Join(store, "worker", out var id);
        session.Dispose();
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        using var second = other.OpenNodeSession();

        var withoutLock = Watch(second, watcherId, id);
        var withLock = Watch(watcher, watcherId, id);

        Assert.Equal((true, false), (withoutLock.LockIsHeld, withLock.LockIsHeld));
    }

    [Fact]
    public async Task Another_session_of_the_same_node_has_to_wait_for_the_lock()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        var session = TemporaryDatabase.Join(store, "worker", out var id);
        using var second = other.OpenNodeSession();

        var before = second.TryHold(id);
        session.Dispose();
        var after = second.TryHold(id);

        Assert.Equal((false, true), (before, after));
    }

    /// <summary>The store of a host that was disposed may close before the node's thread has come to its end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_lock_outlives_the_store_until_the_last_handler_has_returned_and_not_longer(bool leaves)
    {
        var (database, other) = (_files.Open(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var node = new AgentOf(_files.Store(database));
        node.Agent.StepOnce();
        node.Node!.RunBegins();
        if (!leaves)
        {
            File.Move(_files.File, _files.File + ".away");
            node.Agent.StepOnce();
            File.Move(_files.File + ".away", _files.File);
        }

        database.Dispose();
        (leaves ? (Action)node.Agent.Leave : node.Agent.Abandon)();
        var whileItRuns = Watch(watcher, watcherId, node.Node.Id).LockIsHeld;
        node.Node.RunEnded();

        Assert.True(whileItRuns);
        Assert.False(Watch(watcher, watcherId, node.Node.Id).LockIsHeld);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1234567890 and more")]
    public void A_lock_file_that_holds_its_number_is_not_written_again(string content)
    {
        var (locks, id, longAgo) = (_files.Open().Locks, Guid.NewGuid(), new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var path = $"{_files.File}-node-{id:N}";
        File.WriteAllText(path, content);
        locks.TryTake(id)!.Dispose();
        var written = File.ReadAllText(path);
        File.SetLastWriteTimeUtc(path, longAgo);

        locks.TryTake(id)!.Dispose();

        Assert.Equal(longAgo, File.GetLastWriteTimeUtc(path));
        Assert.Equal(written, File.ReadAllText(path));
        Assert.DoesNotContain('\0', written);
    }

    [Fact]
    public async Task A_lock_that_the_system_can_t_tell_of_is_neither_held_nor_free()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(CancellationToken.None);
        using var noFile = new SafeFileHandle(1_000_000, ownsHandle: false);

        Assert.Equal(OperatingSystem.IsLinux() ? null : false, OperatingSystem.IsLinux() ? LockProbe.IsHeld(noFile) : false);
        Assert.False(database.Locks.Works(Guid.NewGuid(), OperatingSystem.IsLinux() ? noFile : null));
    }

    [Fact]
    public void A_lock_file_that_cannot_be_created_now_is_not_held()
    {
        // The name of the database is almost as long as a file system allows, and that of the lock file is too long.
        using var database = new SqliteDatabase(
            $"Data Source={Path.Combine(_files.Folder, new string('x', 230))}", new SqliteOptions(), TimeProvider.System);
        using var session = new SqliteNodeSession(database);

        Assert.False(session.TryHold(Guid.NewGuid()));
    }

    [Fact]
    public async Task A_node_that_leaves_takes_its_file_along()
    {
        var store = await _files.OpenStoreAsync();
        using var session = TemporaryDatabase.Join(store, "worker", out var id);
        Assert.Equal(2, Directory.GetFiles(_files.Folder, "*-node-*").Length);

        session.Leave(id);

        Assert.Empty(Directory.GetFiles(_files.Folder, "*-node-*"));
    }

    [Fact]
    public async Task The_file_of_a_node_that_was_declared_dead_is_removed()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        using var watcher = TemporaryDatabase.Join(other, "watcher", out var watcherId);
        var session = TemporaryDatabase.Join(store, "worker", out var id);
        session.Dispose();

        Assert.True(watcher.MarkDead(id, Watch(watcher, watcherId, id).Heartbeat));

        Assert.Empty(Directory.GetFiles(_files.Folder, $"*{id:N}*"));
    }

    public void Dispose() => _files.Dispose();

    private static PeerHeartbeat Watch(INodeSession watcher, Guid watcherId, Guid node)
        => Assert.Single(watcher.SendHeartbeat(watcherId, true).Peers, peer => peer.NodeId == node);

    /// <summary>A node whose thread is the test.</summary>
    private sealed class AgentOf : INodeEvents
    {
        public AgentOf(SqliteQueueStore store, IHintTurns? hints = null)
            => Agent = new NodeAgent(
                store, this, new NodeOptions(), id => TemporaryDatabase.Identity("worker") with { Id = id }, TimeProvider.System,
                new OutageReporter(TimeProvider.System, NullLogger<OutageReporter>.Instance), NullLogger.Instance, hints: hints);

        public NodeAgent Agent { get; }

        public Node? Node { get; private set; }

        public void Registered(Node node) => Node = node;

        public void Changed(Node node, LeaseChange change)
        {
            // Nobody waits for the lease.
        }

        public void SweepDue()
        {
            // Nothing is swept.
        }

        public void DeadNodeReported()
        {
            // Nothing is swept.
        }

        public void ReconcileDue()
        {
            // Nothing is reconciled.
        }
    }

    private sealed class WatchedTime : TimeProvider
    {
        public Action? OnNow { get; set; }

        public override DateTimeOffset GetUtcNow()
        {
            OnNow?.Invoke();
            return base.GetUtcNow();
        }
    }

    private sealed class FailingHints : IHintTurns
    {
        public bool Fails { get; set; }

        public HintOffer Offer()
            => Fails ? throw new InvalidOperationException("There is no memory left.") : new HintOffer([], [], 0, EndsTurn: false);

        public void Observe(HintPlace? own, IReadOnlyList<PeerHeartbeat> peers)
        {
            // Every node of this store listens.
        }
    }
}
