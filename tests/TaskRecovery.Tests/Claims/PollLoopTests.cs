using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>What a poll asks for, alone and in a fleet.</summary>
public sealed class PollLoopTests
{
    private const int Nodes = 80;

    [Fact]
    public async Task In_a_fleet_that_is_nearly_idle_most_polls_ask_for_recent_entries_and_every_third_for_all()
    {
        var store = Store(load: 0);
        await using var host = await StartAsync(store);

        IReadOnlyList<PollRequest> polls = [];
        await store.Until(now => (polls = [.. now.Polls.SkipWhile(static poll => !poll.OnlyRecent)]).Count >= 30);

        Assert.All(polls, static poll => Assert.Equal(["default"], poll.LeftQueues));

        // The hint of the connection may have requested one more, and on a machine that stands still a poll is whole because it is late.
        Assert.InRange(polls.Take(30).Count(static poll => !poll.OnlyRecent), 10, 20);
    }

    [Fact]
    public async Task A_node_that_leaves_nothing_polls_again_when_the_next_entry_is_due()
    {
        var store = new FakeQueueStore
        {
            NextDue = TimeSpan.FromMilliseconds(1),
            Traits = FakeQueueStore.PolledEvery(TimeSpan.FromHours(1)),
        };
        await using var host = await StartAsync(store);
        await store.Until(static now => now.CallsOf("heartbeat") >= 2);

        host.Services.GetRequiredService<WorkServices>().Polls.Now.Set();

        // The hints of the start have requested some of them.
        await store.Until(static now => now.Polls.Count >= 20);
    }

    [Fact]
    public async Task A_node_that_leaves_one_of_its_queues_polls_again_when_the_next_entry_of_the_other_one_is_due()
    {
        var store = new FakeQueueStore
        {
            Place = new HintPlace(["default", "mail"], [], Load: 0, TurnEndedAt: null, Nodes),
            Peers = Peers(load: 0),
            NextDue = TimeSpan.FromMilliseconds(1),
            Traits = FakeQueueStore.PolledEvery(TimeSpan.FromHours(1)),
        };
        await using var host = await StartAsync(store, "default", "mail");
        Assert.True(SpinWait.SpinUntil(
            () => host.Services.GetRequiredService<HintTurns>().Leaves("default"), TimeSpan.FromSeconds(60)));

        host.Services.GetRequiredService<WorkServices>().Polls.Now.Set();

        await store.Until(static now => now.Polls.Count(static poll => poll.LeftQueues.Contains("default")) >= 20);
        Assert.DoesNotContain(store.Polls, static poll => poll.LeftQueues.Contains("mail"));
    }

    [Fact]
    public async Task A_poll_that_was_requested_asks_for_all()
    {
        var store = Store(load: 0, TimeSpan.FromHours(1));
        await using var host = await StartAsync(store);
        Assert.True(SpinWait.SpinUntil(
            () => host.Services.GetRequiredService<HintTurns>().Leaves("default"), TimeSpan.FromSeconds(60)));

        for (var poll = 0; poll < 5; poll++)
        {
            var before = store.Polls.Count;
            host.Services.GetRequiredService<WorkServices>().Polls.Now.Set();
            await store.Until(now => now.Polls.Count > before);
        }

        Assert.DoesNotContain(store.Polls, static poll => poll.OnlyRecent);
        Assert.Equal(["default"], store.Polls[^1].LeftQueues);
    }

    [Fact]
    public async Task A_node_of_a_fleet_that_is_not_idle_leaves_nothing()
    {
        var store = Store(load: 1);
        await using var host = await StartAsync(store);

        await store.Until(static now => now.CallsOf("heartbeat") >= 6 && now.Polls.Count >= 20);

        Assert.All(store.Polls, static poll => Assert.Equal((0, false), (poll.LeftQueues.Count, poll.OnlyRecent)));
    }

    [Fact]
    public async Task A_node_leaves_nothing_to_nodes_that_work_its_queue_and_run_other_kinds()
    {
        var store = Store(load: 0, queueOfPeers: HintListeners.Line("default", HintListeners.MarkOf(["mail"])));
        await using var host = await StartAsync(store);

        await store.Until(static now => now.CallsOf("heartbeat") >= 6 && now.Polls.Count >= 20);

        Assert.All(store.Polls, static poll => Assert.Equal((0, false), (poll.LeftQueues.Count, poll.OnlyRecent)));
        Assert.True(host.Services.GetRequiredService<HintTurns>().Listens);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(15, 1)]
    [InlineData(16, 2)]
    [InlineData(23, 2)]
    [InlineData(24, 3)]
    [InlineData(1_000, 3)]
    public void All_nodes_together_read_the_whole_queue_several_times_a_second_and_each_with_every_third_poll(int nodes, int polls)
        => Assert.Equal(polls, PollLoop.PollsPerWholePoll(nodes));

    [Theory]
    [InlineData(3, 1.0, true)]
    [InlineData(4, 1.0, false)]
    [InlineData(4, 2.0, false)]
    [InlineData(4, 2.1, true)]
    [InlineData(4, null, true)]
    public void A_poll_asks_for_all_too_if_the_last_one_that_succeeded_was_long_ago(int poll, double? seconds, bool isWhole)
        => Assert.Equal(
            isWhole, PollLoop.IsWhole(poll, Nodes, seconds is { } since ? TimeSpan.FromSeconds(since) : null));

    [Fact]
    public async Task A_poll_that_was_requested_and_failed_is_repeated_for_all()
    {
        WorkHost? started = null;
        var (polls, afterFailure) = (0, 0);
        var store = Store(load: 0);
        store.OnCall = call =>
        {
            // Of every three polls, the first requests one, and the second, which is that one, fails.
            if (call == "poll" && Volatile.Read(ref started) is { } running)
            {
                switch (polls++ % 3)
                {
                    case 0:
                        running.Services.GetRequiredService<WorkServices>().Polls.Now.Set();
                        break;
                    case 1:
                        afterFailure = store.Polls.Count;
                        throw new StoreUnavailableException("The poll was lost.");
                }
            }
        };
        await using var host = await StartAsync(store);
        Assert.True(SpinWait.SpinUntil(
            () => host.Services.GetRequiredService<HintTurns>().Leaves("default"), TimeSpan.FromSeconds(60)));
        Volatile.Write(ref started, host);

        var next = 0;
        for (var failure = 0; failure < 10; failure++)
        {
            var before = next;
            await store.Until(now => (next = Volatile.Read(ref afterFailure)) > before && now.Polls.Count > next);
            Assert.False(store.Polls[next].OnlyRecent);
        }
    }

    [Fact]
    public async Task A_node_of_a_large_fleet_that_does_not_listen_rests_after_a_claim_beside_others()
    {
        const int Claims = 10;
        var took = TimeSpan.FromMilliseconds(20);
        var store = Store(load: 1);
        store.IsContested = true;
        store.OnCall = call =>
        {
            if (string.Equals(call, "claim", StringComparison.Ordinal))
            {
                var called = Stopwatch.GetTimestamp();
                SpinWait.SpinUntil(() => Stopwatch.GetElapsedTime(called) >= took);
            }
        };
        await using var host = await StartAsync(store);
        Assert.True(SpinWait.SpinUntil(
            () => !host.Services.GetRequiredService<HintTurns>().Listens, TimeSpan.FromSeconds(60)));

        var began = Stopwatch.GetTimestamp();
        for (var claim = 0; claim < Claims; claim++)
        {
            await store.UntilEnded(store.Add("test.work", "{}"));
        }

        // Each rest is ten times as long as its claim on average. That all of them together are shorter than the claims has a chance of one
        // in four million.
        Assert.True(Stopwatch.GetElapsedTime(began) >= 2 * Claims * took);
    }

    private static FakeQueueStore Store(int load, TimeSpan? interval = null, string queueOfPeers = "default") => new()
    {
        Place = Place(Nodes, load),
        Peers = Peers(load, queueOfPeers),
        Traits = FakeQueueStore.PolledEvery(interval ?? TimeSpan.FromMilliseconds(20)),
    };

    private static List<PeerHeartbeat> Peers(int load, string queue = "default")
        => [.. Enumerable.Range(1, Nodes - 1).Select(number => new PeerHeartbeat(Guid.NewGuid(), "peer", 1, true, true)
        {
            Place = Place(number, load, queue),
        })];

    private static HintPlace Place(long number, int load, string queue = "default") => new([queue], [], load, null, number);

    private static Task<WorkHost> StartAsync(FakeQueueStore store, params string[] queues) => WorkHost.StartAsync(
        store,
        builder =>
        {
            builder.Services.AddSingleton(new TestWork());
            builder.AddWorker<TestArgs, TestWorker>();
        },
        options =>
        {
            foreach (var queue in queues)
            {
                options.Queues[queue] = new QueueOptions();
            }

            options.Node.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
            options.Node.Lease = TimeSpan.FromMinutes(5);
            options.Node.Grace = TimeSpan.FromMinutes(2);
        });
}
