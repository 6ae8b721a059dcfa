using System.Diagnostics;
using System.Text;
using System.Text.Json;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Two real processes on one file.</summary>
public sealed class SharedFileTests : IDisposable
{
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
        var entry = await EnqueueAsync(store, holdMilliseconds: 60_000);
        await WaitForAsync(store, entry, found => found.State == EntryState.Running);
        var alive = Assert.Single(watcher.Beat(identity.Id, true).Peers);

        await child.KillAsync();
        var dead = Assert.Single(watcher.Beat(identity.Id, true).Peers);
        var marked = watcher.MarkDead(dead.NodeId, dead.Beat);
        var report = await store.SweepAsync(3, CancellationToken.None);

        Assert.Equal((true, false), (alive.LockIsHeld, dead.LockIsHeld));
        Assert.True(marked);
        Assert.Equal((entry, "child", 1), Assert.Single(report.Items.Select(item => (item.EntryId!.Value, item.Node!, item.Crashes))));
        Assert.Equal(EntryState.Waiting, (await store.FindAsync(entry, CancellationToken.None))!.State);
        Assert.Empty(await store.CheckLawAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_work_of_a_killed_process_runs_again_in_the_other_within_two_seconds()
    {
        var store = await _files.OpenStoreAsync();
        await using var first = await StartAsync("first");
        var entry = await EnqueueAsync(store, holdMilliseconds: 60_000);
        await WaitForAsync(store, entry, found => found.State == EntryState.Running);
        await using var second = await StartAsync("second");

        await first.KillAsync();
        var dead = Stopwatch.StartNew();
        await WaitForAsync(store, entry, found => found is { State: EntryState.Running, Node: "second" });

        Assert.True(dead.Elapsed < TimeSpan.FromSeconds(2), $"It ran again after {dead.Elapsed}.");
    }

    public void Dispose() => _files.Dispose();

    private static async Task<long> EnqueueAsync(SqliteQueueStore store, int holdMilliseconds)
    {
        var entry = TemporaryDatabase.Entry() with { Kind = "probe.plain", Args = Encoding.UTF8.GetBytes($$"""{"holdMs":{{holdMilliseconds}},"isDeaf":false}""") };
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

            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(30), $"Entry {entry} stays {found!.State} on {found.Node}.");
            await ticks.WaitForNextTickAsync();
        }
    }

    // The crash tests' host: it has the library's sources compiled in, so it is started, not referenced.
    private async Task<ChildProcess> StartAsync(string node)
    {
        var host = Path.Combine(AppContext.BaseDirectory.Replace("TaskRecovery.Sqlite.Tests", "TaskRecovery.Crash.Host", StringComparison.Ordinal), "TaskRecovery.Crash.Host.dll");
        var settings = JsonSerializer.Serialize(new { SqliteFile = _files.File, NodeName = node, JournalFile = Path.Combine(_files.Folder, $"{node}.journal") });
        var child = ChildProcess.StartDotnet(host, [settings]);
        await child.WaitForLineAsync("ready");
        return child;
    }
}
