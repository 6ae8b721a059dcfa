using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Claims;
using TaskRecovery.Nodes;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Workers;

/// <summary>Many nodes at one queue: a few of them listen for the hints of all, and whatever they miss, polls find.</summary>
public sealed class FleetTests : IAsyncLifetime
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    // What must not be the cause of a start is a heartbeat in a minute, and without a poll nothing tells a node of a cancellation.
    private static readonly TimeSpan ForBusyMachines = TimeSpan.FromSeconds(45);

    private readonly List<IHost> _nodes = [];
    private readonly ConcurrentDictionary<long, (int Node, long At)> _started = [];
    private readonly SemaphoreSlim _held = new(0);
    private PostgresDatabase? _database;
    private IHost? _producer;
    private int _ended;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private IJobQueue Queue => _producer!.Services.GetRequiredService<IJobQueue>();

    private int[] Listeners => [.. Enumerable.Range(0, _nodes.Count).Where(node => Turns(node).Listens)];

    public async ValueTask InitializeAsync()
    {
        _database = await MigratedDatabase.CreateAsync("fleet");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().UsePostgreSql(_database.ConnectionString).AddKind<Work>();
        _producer = builder.Build();
        await _producer.StartAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        _held.Release(10_000);
        await Task.WhenAll(_nodes.Append(_producer!).Select(async host =>
        {
            await host.StopAsync(CancellationToken.None);
            host.Dispose();
        }));
        await _database!.DisposeAsync();
    }

    [Fact]
    public async Task Of_ten_nodes_a_few_listen_and_others_take_over_when_those_stop()
    {
        await StartAsync(nodes: 10, concurrency: 4);
        await UntilAsync(() => Listeners.Length == HintListeners.WithFirst);
        var before = Listeners;

        foreach (var node in before)
        {
            await _nodes[node].StopAsync(Cancellation);
        }

        await UntilAsync(() => Listeners.Except(before).Count() == HintListeners.WithFirst);
        await AssertStartInTimeAsync(Queue, entries: 20);
    }

    [Fact]
    public async Task An_entry_whose_hint_is_lost_starts_within_the_poll_interval_although_all_nodes_but_one_leave_it()
    {
        await StartAsync(nodes: 10, concurrency: 4);
        await UntilAsync(() => Enumerable.Range(0, _nodes.Count).Count(node => Turns(node).Leaves("default")) == _nodes.Count - 1);
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery()
            .UsePostgreSql(_database!.ConnectionString, static options => options.UseNotifications = false)
            .AddKind<Work>();
        using var silent = builder.Build();
        await silent.StartAsync(Cancellation);

        await AssertStartInTimeAsync(silent.Services.GetRequiredService<IJobQueue>(), entries: 20);
        await silent.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_full_node_hands_over()
    {
        await StartAsync(nodes: HintListeners.PerQueue + 2, concurrency: 1);
        await UntilAsync(() => Listeners.Length == HintListeners.WithFirst);

        // More than those that listen can run.
        for (var i = 0; i < HintListeners.PerQueue; i++)
        {
            await Queue.EnqueueAsync(new Work(Hold: true), cancellationToken: Cancellation);
        }

        await UntilAsync(() => _started.Count == HintListeners.PerQueue);
        var free = Enumerable.Range(0, _nodes.Count).Except(_started.Values.Select(static start => start.Node)).ToArray();
        Assert.Equal(2, free.Length);
        await UntilAsync(() => free.All(node => Turns(node).Listens));
    }

    [Fact]
    public async Task What_those_that_listen_can_not_take_starts_within_the_poll_interval()
    {
        // Nobody hands over in time: the next heartbeat is far away.
        await StartAsync(nodes: HintListeners.PerQueue + 3, concurrency: 1, heartbeat: TimeSpan.FromMinutes(1));
        for (var i = 0; i < HintListeners.PerQueue; i++)
        {
            await Queue.EnqueueAsync(new Work(Hold: true), cancellationToken: Cancellation);
        }

        await UntilAsync(() => _started.Count == HintListeners.PerQueue);

        await AssertStartInTimeAsync(Queue, entries: 3);
    }

    [Fact]
    public async Task A_cancellation_reaches_a_node_that_does_not_listen_within_the_poll_interval()
    {
        await StartAsync(nodes: HintListeners.PerQueue + 2, concurrency: 1);
        await UntilAsync(() => Listeners.Length == HintListeners.WithFirst);
        for (var i = 0; i < _nodes.Count; i++)
        {
            await Queue.EnqueueAsync(new Work(Hold: true), cancellationToken: Cancellation);
        }

        await UntilAsync(() => _started.Count == _nodes.Count);
        var since = Stopwatch.GetTimestamp();
        foreach (var id in _started.Keys)
        {
            await Queue.CancelAsync(id, cancellationToken: Cancellation);
        }

        await UntilAsync(async () => (await Task.WhenAll(_started.Keys.Select(async id => await Queue.FindAsync(id, Cancellation))))
            .All(static entry => entry!.State == EntryState.Cancelled));
        Assert.InRange(Stopwatch.GetElapsedTime(since), TimeSpan.Zero, PollInterval + ForBusyMachines);
    }

    [Fact]
    public async Task At_half_load_no_node_has_more_than_three_times_its_share_and_each_has_some()
    {
        const int nodes = 8, concurrency = 4, entries = 480;
        await StartAsync(nodes, concurrency);
        await UntilAsync(() => Listeners.Length == HintListeners.WithFirst);

        // So many at a time are half of what the nodes can run.
        for (var i = 0; i < entries; i++)
        {
            await UntilAsync(() => i - Volatile.Read(ref _ended) < nodes * concurrency / 2);
            await Queue.EnqueueAsync(new Work(Milliseconds: 200), cancellationToken: Cancellation);
        }

        await UntilAsync(() => _started.Count == entries);
        var shares = _started.Values.CountBy(static start => start.Node).ToDictionary();
        Assert.Equal(nodes, shares.Count);

        // Twice its share is what a node can run in this time. While others are slow to claim, it can run more.
        Assert.All(shares.Values, share => Assert.InRange(share, 1, 3 * entries / nodes));
    }

    private HintTurns Turns(int node) => _nodes[node].Services.GetRequiredService<HintTurns>();

    private async Task StartAsync(int nodes, int concurrency, TimeSpan? heartbeat = null)
    {
        for (var number = 0; number < nodes; number++)
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            builder.Services.AddSingleton(new Node(this, number));
            builder.Services.AddTaskRecovery(options =>
            {
                options.Queues["default"] = new QueueOptions { Concurrency = concurrency };
                options.Node.HeartbeatInterval = heartbeat ?? TimeSpan.FromMilliseconds(200);
                options.Node.Lease = TimeSpan.FromMinutes(10);
                options.Node.Grace = TimeSpan.FromMinutes(9);
                options.ShutdownTimeout = TimeSpan.FromSeconds(1);
            }).UsePostgreSql(_database!.ConnectionString).AddWorker<Work, Worker>();
            _nodes.Add(builder.Build());
            await _nodes[^1].StartAsync(Cancellation);
        }

        await Task.WhenAll(_nodes.Select(node => node.Services.GetRequiredService<ICurrentNode>().WaitForLeaseAsync(Cancellation)));
    }

    private async Task AssertStartInTimeAsync(IJobQueue queue, int entries)
    {
        var returned = new Dictionary<long, long>();
        for (var i = 0; i < entries; i++)
        {
            returned.Add((await queue.EnqueueAsync(new Work(), cancellationToken: Cancellation)).Id, Stopwatch.GetTimestamp());
        }

        await UntilAsync(() => returned.Keys.All(_started.ContainsKey));
        Assert.All(returned, entry => Assert.InRange(
            Stopwatch.GetElapsedTime(entry.Value, _started[entry.Key].At), TimeSpan.MinValue, PollInterval + ForBusyMachines));
    }

    private static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var since = Stopwatch.GetTimestamp(); !await condition();)
        {
            Assert.InRange(Stopwatch.GetElapsedTime(since).TotalSeconds, 0, 120);
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    [JobKind("fleet-work")]
    private sealed record Work(int Milliseconds = 0, bool Hold = false);

    private sealed record Node(FleetTests Test, int Number);

    private sealed class Worker(Node node) : IJobWorker<Work>
    {
        public async Task WorkAsync(WorkContext<Work> context, CancellationToken cancellationToken)
        {
            node.Test._started[context.EntryId] = (node.Number, Stopwatch.GetTimestamp());
            await Task.Delay(context.Args.Milliseconds, cancellationToken);
            if (context.Args.Hold)
            {
                await node.Test._held.WaitAsync(cancellationToken);
            }

            Interlocked.Increment(ref node.Test._ended);
        }
    }
}
