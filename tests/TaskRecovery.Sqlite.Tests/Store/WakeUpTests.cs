using System.Threading.Channels;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>How a node learns that there is work: at once in its own process, within milliseconds from another.</summary>
public sealed class WakeUpTests : IAsyncDisposable
{
    private readonly TemporaryDatabase _files = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<StoreHint> _hints = Channel.CreateUnbounded<StoreHint>();
    private Task _listening = Task.CompletedTask;

    [Fact]
    public async Task An_enqueue_wakes_the_listeners_of_its_process()
    {
        var store = await GivenListenerAsync();

        await store.EnqueueAsync([TemporaryDatabase.Entry(queue: "mail"), TemporaryDatabase.Entry(queue: "mail"),
            TemporaryDatabase.Entry(queue: "other")], null, CancellationToken.None);

        Assert.Equal(new StoreHint(StoreHintKind.Work, "mail"), await ReadWorkAsync());
        Assert.Equal(new StoreHint(StoreHintKind.Work, "other"), await ReadWorkAsync());
    }

    [Fact]
    public async Task A_duplicate_wakes_nobody()
    {
        var store = await GivenListenerAsync();
        await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], null, CancellationToken.None);
        await ReadWorkAsync();

        await store.EnqueueAsync([TemporaryDatabase.Entry(key: "one")], null, CancellationToken.None);
        await store.CancelAsync(1, CancellationToken.None);

        Assert.Equal(StoreHintKind.Control, (await _hints.Reader.ReadAsync()).Kind);
    }

    [Fact]
    public async Task A_commit_of_another_process_is_noticed_without_a_poll()
    {
        await GivenListenerAsync();
        var other = await _files.OpenStoreAsync();

        await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);

        Assert.Equal(StoreHintKind.Control, (await _hints.Reader.ReadAsync()).Kind);
    }

    [Fact]
    public async Task A_commit_of_another_process_beside_one_of_this_process_is_noticed_too()
    {
        var own = _files.Open();
        await GivenListenerAsync(_files.Store(own));
        var other = await _files.OpenStoreAsync();
        for (var round = 0; round < 3; round++)
        {
            await own.WriteAsync(
                static session => session.Get("update taskrecovery_queues set paused = 1").ExecuteChanges(), CancellationToken.None);
            await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
            await own.WriteAsync(
                static session => session.Get("update taskrecovery_queues set paused = 0").ExecuteChanges(), CancellationToken.None);

            Assert.Equal(StoreHintKind.Control, (await _hints.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2))).Kind);
        }
    }

    /// <summary>Each check costs every idle process about 100 us.</summary>
    [Fact]
    public async Task A_commit_of_another_process_costs_a_few_checks()
    {
        var (watching, other) = (_files.Open(), await _files.OpenStoreAsync());
        var watcher = new ChangeWatcher(watching);
        _listening = watcher.RunAsync(hint => _hints.Writer.TryWrite(hint), _stop.Token);
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1.2));
        await ticks.WaitForNextTickAsync();
        var before = watcher.Checks;

        await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
        await _hints.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2));
        await ticks.WaitForNextTickAsync();

        // Elsewhere the watcher polls.
        Assert.Equal(OperatingSystem.IsLinux(), watcher.IsNotified);
        if (watcher.IsNotified)
        {
            // A check every 25 ms would make 48.
            Assert.InRange(watcher.Checks - before, 1, 40);
        }
    }

    [Fact]
    public async Task Writers_that_follow_each_other_quickly_cost_no_more_checks_than_one_every_25_ms()
    {
        var (watching, other) = (_files.Open(), await _files.OpenStoreAsync());
        var watcher = new ChangeWatcher(watching);
        _listening = watcher.RunAsync(hint => _hints.Writer.TryWrite(hint), _stop.Token);
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var started = TimeProvider.System.GetTimestamp();
        var before = watcher.Checks;

        for (var tick = 0; tick < 100 || (watcher.Checks - before < 10 && tick < 3_000); tick++)
        {
            await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
            await ticks.WaitForNextTickAsync();
        }

        // The checks first: the time that passes after them only raises the limit. A series of checks for each write would be four times
        // as many.
        var checks = watcher.Checks - before;
        var most = (long)(TimeProvider.System.GetElapsedTime(started) / TimeSpan.FromMilliseconds(25)) + 50;
        Assert.InRange(checks, 10, most);
    }

    [Fact]
    public async Task A_poll_sees_what_another_process_stored()
    {
        var store = await _files.OpenStoreAsync();
        var other = await _files.OpenStoreAsync();
        var request = new PollRequest(Guid.NewGuid(), ["default"], ["work"], false);

        var before = await store.PollAsync(request, CancellationToken.None);
        await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
        var after = await store.PollAsync(request, CancellationToken.None);

        Assert.Empty(before.DueQueues);
        Assert.Equal(["default"], after.DueQueues);
    }

    [Fact]
    public async Task An_idle_poll_reads_nothing()
    {
        var store = await _files.OpenStoreAsync();
        var request = new PollRequest(Guid.NewGuid(), ["default"], ["work"], false);

        var first = await store.PollAsync(request, CancellationToken.None);
        var second = await store.PollAsync(request, CancellationToken.None);
        await store.EnqueueAsync([TemporaryDatabase.Entry(after: TimeSpan.FromHours(1))], null, CancellationToken.None);
        var third = await store.PollAsync(request, CancellationToken.None);

        Assert.Same(first.DueQueues, second.DueQueues);
        Assert.NotSame(first.DueQueues, third.DueQueues);
    }

    [Fact]
    public async Task Polls_and_claims_go_by_the_injected_clock()
    {
        var clock = new ManualClock();
        var store = await _files.OpenStoreAsync(time: clock);
        var request = new PollRequest(Guid.NewGuid(), ["default"], ["work"], false);
        await store.EnqueueAsync([TemporaryDatabase.Entry(after: TimeSpan.FromHours(1))], null, CancellationToken.None);

        var early = await store.PollAsync(request, CancellationToken.None);
        clock.Now += TimeSpan.FromMinutes(40);
        var nearer = await store.PollAsync(request, CancellationToken.None);
        clock.Now += TimeSpan.FromMinutes(20);
        var due = await store.PollAsync(request, CancellationToken.None);

        Assert.Equal((TimeSpan.FromHours(1), TimeSpan.FromMinutes(20)), (early.NextDue!.Value, nearer.NextDue!.Value));
        Assert.Equal(["default"], due.DueQueues);
        Assert.Equal(clock.Now, (await store.FindAsync(1, CancellationToken.None))!.RunAt);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _listening.ContinueWith(static _ => { }, TaskScheduler.Default);
        _stop.Dispose();
        _files.Dispose();
    }

    // The commit itself may be noticed too, before or after.
    private async Task<StoreHint> ReadWorkAsync()
    {
        while (true)
        {
            if (await _hints.Reader.ReadAsync() is { Kind: StoreHintKind.Work } hint)
            {
                return hint;
            }
        }
    }

    private async Task<SqliteQueueStore> GivenListenerAsync(SqliteQueueStore? store = null)
    {
        store ??= _files.Store(_files.Open());
        await store.PrepareAsync(CancellationToken.None);
        _listening = store.ListenAsync(hint => _hints.Writer.TryWrite(hint), _stop.Token);
        Assert.Equal(StoreHintKind.Connected, (await _hints.Reader.ReadAsync()).Kind);
        return store;
    }

    private sealed class ManualClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2031, 5, 6, 7, 8, 9, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
