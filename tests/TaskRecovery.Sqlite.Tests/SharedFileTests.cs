using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Two real processes on one file.</summary>
public sealed class SharedFileTests : IDisposable
{
    private static readonly Dictionary<string, string> WithoutLocks =
        new(StringComparer.Ordinal) { ["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1" };

    private readonly TemporaryDatabase _files = new();

    [Fact]
    public async Task What_one_process_stores_another_one_works()
    {
        var store = await _files.OpenStoreAsync();
        await using var child = await StartAsync("child");

        var entry = await EnqueueAsync(store, holdMilliseconds: 0);
        var ended = await WaitForAsync(store, entry, found => found.State == EntryState.Completed);

        Assert.Equal("child", ended.Node);
    }

    [Fact]
    public async Task A_killed_process_looks_dead_at_once_and_its_work_can_be_taken()
    {
        var store = await _files.OpenStoreAsync();
        await using var child = await StartAsync("child");
        using var watcher = store.OpenNodeSession();
        var identity = TemporaryDatabase.Identity("watcher");
        watcher.Register(identity);
        var entry = await EnqueueAsync(store, holdMilliseconds: 600_000);
        await WaitForAsync(store, entry, found => found.State == EntryState.Running);
        var alive = Assert.Single(watcher.SendHeartbeat(identity.Id, true).Peers);

        await child.KillAsync();
        var dead = Assert.Single(watcher.SendHeartbeat(identity.Id, true).Peers);
        var marked = watcher.MarkDead(dead.NodeId, dead.Heartbeat);
        var report = await store.SweepAsync(3, CancellationToken.None);

        Assert.Equal((true, false), (alive.LockIsHeld, dead.LockIsHeld));
        Assert.True(marked);
        Assert.Equal((entry, "child", 1), Assert.Single(report.Items.Select(item => (item.EntryId!.Value, item.Node!, item.Crashes))));
        Assert.Equal(EntryState.Waiting, (await store.FindAsync(entry, CancellationToken.None))!.State);
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_work_of_a_killed_process_runs_again_in_the_other_long_before_its_lease_expires()
    {
        var store = await _files.OpenStoreAsync();
        await using var first = await StartAsync("first");
        var entry = await EnqueueAsync(store, holdMilliseconds: 600_000);
        await WaitForAsync(store, entry, found => found.State == EntryState.Running);
        await using var second = await StartAsync("second");

        await first.KillAsync();

        // A second is usual. A process that went by the lease instead of the lock would wait for all of it: ten minutes.
        await WaitForAsync(store, entry, found => found is { State: EntryState.Running, Node: "second" });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_that_lives_is_declared_dead_where_file_locks_do_not_work(bool inBothProcesses)
    {
        var store = await _files.OpenStoreAsync();
        await using var first = await StartAsync("first", WithoutLocks);
        await using var second = await StartAsync("second", inBothProcesses ? WithoutLocks : null);
        long[] entries = [await EnqueueAsync(store, holdMilliseconds: 4000), await EnqueueAsync(store, holdMilliseconds: 4000)];

        var ended = await Task.WhenAll(
            entries.Select(entry => WaitForAsync(store, entry, static found => found.State is EntryState.Completed or EntryState.Failed)));

        Assert.All(ended, static entry => Assert.Equal((EntryState.Completed, 0), (entry.State, entry.Crashes)));
    }

    [Fact]
    public async Task Heartbeats_write_no_lock_file_where_file_locks_do_not_work()
    {
        var heartbeats = _files.Open().Heartbeats;
        var longAgo = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        await using var child = await StartAsync("child", WithoutLocks);
        await WaitUntilAsync(() => LockFiles().Count == 1);
        var file = LockFiles()[0];
        var node = Guid.ParseExact(file[^32..], "N");
        await HeartbeatsAsync(1);

        File.SetLastWriteTimeUtc(file, longAgo);
        await HeartbeatsAsync(3);

        Assert.Equal(longAgo, File.GetLastWriteTimeUtc(file));

        Task HeartbeatsAsync(int count)
        {
            var before = heartbeats.TryRead(node) ?? 0;
            return WaitUntilAsync(() => heartbeats.TryRead(node) >= before + count);
        }
    }

    [Fact]
    public async Task Processes_that_write_and_checkpoint_at_once_leave_a_sound_file()
    {
        const int Producers = 4;
        const int Calls = 250;
        var store = await _files.OpenStoreAsync();
        await using var first = await StartAsync("first");
        await using var second = await StartAsync("second");
        await using var third = await StartAsync("third");
        using var done = new CancellationTokenSource();
        var checkpoints = new[] { "passive", "restart", "truncate" }.Select(kind => Task.Run(() => Checkpoint(kind, done.Token))).ToList();

        var calls = await Task.WhenAll(Enumerable.Range(0, Producers).Select(_ => Task.Run(async () =>
        {
            var last = 0L;
            for (var call = 0; call < Calls; call++)
            {
                last = await EnqueueAsync(store, holdMilliseconds: 0);
            }

            return last;
        })));
        for (var entry = calls.Max(); entry > 0; entry--)
        {
            await WaitForAsync(store, entry, static found => found.State == EntryState.Completed);
        }

        await done.CancelAsync();
        await Task.WhenAll(checkpoints);
        Assert.Equal(Producers * Calls, calls.Max());
        Assert.Equal("ok", Query("pragma integrity_check"));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    public void Dispose() => _files.Dispose();

    // Without a pause: the log starts anew as often as it can, in the middle of what others write.
    private void Checkpoint(string kind, CancellationToken until)
    {
        while (!until.IsCancellationRequested)
        {
            Query($"pragma wal_checkpoint({kind})");
        }
    }

    private string? Query(string text)
    {
        using var connection = new SqliteConnection($"{_files.ConnectionString};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private List<string> LockFiles() => [.. Directory.GetFiles(_files.Folder, "*-node-*").Where(
        static file => !file.EndsWith("-heartbeat", StringComparison.Ordinal))];

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        var limit = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition())
        {
            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(2), "It did not happen within two minutes.");
            await ticks.WaitForNextTickAsync();
        }
    }

    private static async Task<long> EnqueueAsync(SqliteQueueStore store, int holdMilliseconds)
    {
        var entry = TemporaryDatabase.Entry() with
        {
            Kind = "probe.plain",
            Args = Encoding.UTF8.GetBytes(
            $$"""{"holdMs":{{holdMilliseconds}},"isDeaf":false}""")
        };
        return Assert.Single(await store.EnqueueAsync([entry], null, CancellationToken.None)).Id;
    }

    private static async Task<QueueEntry> WaitForAsync(SqliteQueueStore store, long entry, Func<QueueEntry, bool> condition)
    {
        var limit = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var found = await store.FindAsync(entry, CancellationToken.None);
            if (condition(found!))
            {
                return found!;
            }

            Assert.True(limit.Elapsed < TimeSpan.FromMinutes(2), $"Entry {entry} stays {found!.State} on {found.Node}.");
            await ticks.WaitForNextTickAsync();
        }
    }

    // The crash tests' host: it has the library's sources compiled in, so it is started, not referenced.
    private async Task<ChildProcess> StartAsync(string node, IReadOnlyDictionary<string, string>? environment = null)
    {
        var host = Path.Combine(AppContext.BaseDirectory.Replace(
            "TaskRecovery.Sqlite.Tests", "TaskRecovery.Crash.Host", StringComparison.Ordinal), "TaskRecovery.Crash.Host.dll");
        var settings = JsonSerializer.Serialize(
            new
            {
                SqliteFile = _files.File,
                NodeName = node,
                JournalFile = Path.Combine(_files.Folder, $"{node}.journal"),
                Lease = TimeSpan.FromMinutes(10),
            });
        var child = ChildProcess.StartDotnet(host, [settings], environment);
        await child.WaitForLineAsync("ready");
        return child;
    }
}
