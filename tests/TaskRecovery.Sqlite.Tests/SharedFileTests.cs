using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Crash.Host;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Sqlite.Tests;

/// <summary>Two real processes on one file.</summary>
public sealed class SharedFileTests : IAsyncDisposable
{
    private readonly TemporaryDatabase _files = new();
    private readonly ServiceProvider _client;

    public SharedFileTests()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        ProbeHost.AddClient(services, Settings("client"));
        _client = services.BuildServiceProvider();
    }

    private IJobQueue Queue => _client.GetRequiredService<IJobQueue>();

    private IQueueStore Store => _client.GetRequiredService<IQueueStore>();

    [Fact]
    public async Task What_one_process_stores_another_one_works()
    {
        await Store.PrepareAsync(CancellationToken.None);
        await using var child = await StartAsync("child");
        var waited = Stopwatch.StartNew();

        var entry = await Queue.EnqueueAsync(new PlainProbe(HoldMs: 0));
        var ended = await WaitForAsync(entry.Id, EntryState.Completed);

        Assert.Equal("child", ended.Node);
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(10), $"It took {waited.Elapsed}.");
    }

    [Fact]
    public async Task A_killed_process_looks_dead_at_once_and_its_work_can_be_taken()
    {
        await Store.PrepareAsync(CancellationToken.None);
        var child = await StartAsync("child");
        using var watcher = Store.OpenNodeSession();
        var identity = TemporaryDatabase.Identity("watcher");
        watcher.Register(identity);
        var entry = await Queue.EnqueueAsync(new PlainProbe(HoldMs: 60_000));
        await WaitForAsync(entry.Id, EntryState.Running);
        var alive = Assert.Single(watcher.Beat(identity.Id, true).Peers);

        await child.KillAsync();
        var dead = Assert.Single(watcher.Beat(identity.Id, true).Peers);
        var marked = watcher.MarkDead(dead.NodeId, dead.Beat);
        var report = await Store.SweepAsync(3, CancellationToken.None);

        Assert.Equal((true, false), (alive.LockIsHeld, dead.LockIsHeld));
        Assert.True(marked);
        Assert.Equal((entry.Id, "child", 1), Assert.Single(report.Items.Select(item => (item.EntryId!.Value, item.Node!, item.Crashes))));
        Assert.Equal(EntryState.Waiting, (await Queue.FindAsync(entry.Id))!.State);
        Assert.Empty(await Store.CheckLawAsync(CancellationToken.None));
        await child.DisposeAsync();
    }

    [Fact]
    public async Task The_work_of_a_killed_process_runs_again_in_the_other_within_two_seconds()
    {
        await Store.PrepareAsync(CancellationToken.None);
        var first = await StartAsync("first");
        var entry = await Queue.EnqueueAsync(new PlainProbe(HoldMs: 60_000));
        await WaitForAsync(entry.Id, EntryState.Running);
        await using var second = await StartAsync("second");

        await first.KillAsync();
        var dead = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await Queue.FindAsync(entry.Id) is not { State: EntryState.Running, Node: "second" })
        {
            Assert.True(dead.Elapsed < TimeSpan.FromSeconds(30), "It does not run again.");
            await ticks.WaitForNextTickAsync();
        }

        Assert.True(dead.Elapsed < TimeSpan.FromSeconds(2), $"It ran again after {dead.Elapsed}.");
        await first.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        _files.Dispose();
    }

    private HostSettings Settings(string node) => new() { SqliteFile = _files.File, NodeName = node, JournalFile = Path.Combine(_files.Folder, $"{node}.journal") };

    private async Task<ChildProcess> StartAsync(string node)
    {
        var child = ChildProcess.StartDotnet(typeof(HostSettings).Assembly.Location, [Settings(node).ToArgument()]);
        await child.WaitForLineAsync("ready");
        return child;
    }

    private async Task<QueueEntry> WaitForAsync(long entry, EntryState state)
    {
        var limit = Stopwatch.StartNew();
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            var found = await Queue.FindAsync(entry);
            if (found?.State == state)
            {
                return found;
            }

            Assert.True(limit.Elapsed < TimeSpan.FromSeconds(30), $"Entry {entry} is {found?.State}, not {state}.");
            await ticks.WaitForNextTickAsync();
        }
    }
}
