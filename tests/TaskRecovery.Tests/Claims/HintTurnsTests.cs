using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>When this node begins and ends to listen for hints.</summary>
public sealed class HintTurnsTests
{
    private static readonly string[] Kinds = ["mail"];
    private static readonly string Line = HintListeners.Line("default", HintListeners.MarkOf(Kinds));
    private static readonly HintPlace First = new([Line], [], 0, null, 1);
    private static readonly HintPlace Last = new([Line], [], 0, null, 99);
    private static readonly PeerHeartbeat[] Others =
        [.. Enumerable.Range(10, HintListeners.PerQueue).Select(number => new PeerHeartbeat(Guid.NewGuid(), "peer", 1, true, true)
        {
            Place = new HintPlace([Line], [], 0, null, number),
        })];

    private readonly ManualTimeProvider _time = new();
    private readonly HintTurns _turns;

    public HintTurnsTests()
    {
        _turns = new HintTurns(_time);
        _turns.Serve([], Kinds);
    }

    [Fact]
    public void A_node_listens_until_its_first_heartbeat_says_otherwise()
    {
        Assert.True(_turns.Listens);

        _turns.Observe(Last, Others);

        Assert.False(_turns.Listens);
        Assert.False(_turns.Offer().EndsTurn);
    }

    [Fact]
    public void Nodes_that_may_claim_are_those_of_the_line_or_all_if_they_do_not_report_their_queues()
    {
        Assert.Equal(1, _turns.NodesOf("default"));

        _turns.Observe(Last, Others);
        Assert.Equal((Others.Length + 1, 1), (_turns.NodesOf("default"), _turns.NodesOf("another")));

        _turns.Observe(Last with { Queues = [] }, Others);
        Assert.Equal(Others.Length + 1, _turns.NodesOf("default"));

        _turns.Observe(null, Others);
        Assert.Equal(1, _turns.NodesOf("default"));
    }

    [Fact]
    public void With_a_store_in_which_all_listen_a_node_always_does()
    {
        for (var heartbeat = 0; heartbeat < 10; heartbeat++)
        {
            _turns.Observe(null, Others);
        }

        Assert.True(_turns.Listens);
    }

    [Fact]
    public async Task A_turn_ends_after_the_others_have_had_time_to_begin()
    {
        _turns.Observe(First, Others);
        var turn = await _turns.WaitAsync(TestContext.Current.CancellationToken);

        _turns.Observe(Last, Others);
        _turns.Observe(Last, Others);
        Assert.True(_turns.Listens);
        Assert.False(turn.IsCancellationRequested);
        _turns.Observe(Last, Others);

        Assert.False(_turns.Listens);
        Assert.True(SpinWait.SpinUntil(() => turn.IsCancellationRequested, TimeSpan.FromMinutes(2)));
        Assert.True(_turns.Offer().EndsTurn);
    }

    [Fact]
    public void A_node_that_is_chosen_again_meanwhile_continues_to_listen()
    {
        _turns.Observe(First, Others);
        for (var heartbeat = 0; heartbeat < 10; heartbeat++)
        {
            _turns.Observe(Last, Others);
            _turns.Observe(First, Others);
        }

        Assert.True(_turns.Listens);
    }

    [Fact]
    public async Task A_waiting_loop_begins_when_the_node_is_chosen()
    {
        _turns.Observe(Last, Others);
        var waiting = _turns.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        _turns.Observe(First, Others);

        Assert.False((await waiting).IsCancellationRequested);
    }

    [Fact]
    public void A_node_that_was_chosen_goes_to_the_end_of_the_line_after_a_time_whether_it_got_work_or_not()
    {
        _time.Advance(HintTurns.LongestTurn);
        _turns.Observe(First, Others);

        _time.Advance(HintTurns.LongestTurn - TimeSpan.FromSeconds(1));
        _turns.Observe(First, Others);
        Assert.False(_turns.Offer().EndsTurn);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(_turns.Offer().EndsTurn);
        Assert.False(_turns.Offer().EndsTurn);
    }

    [Fact]
    public void The_time_of_a_turn_begins_anew_with_each_turn()
    {
        _turns.Observe(First, Others);
        for (var heartbeat = 0; heartbeat < 3; heartbeat++)
        {
            _turns.Observe(Last, Others);
        }

        _time.Advance(HintTurns.LongestTurn);
        _turns.Observe(First, Others);

        Assert.False(_turns.Offer().EndsTurn);
        _time.Advance(HintTurns.LongestTurn);
        Assert.True(_turns.Offer().EndsTurn);
    }

    [Fact]
    public void A_node_that_is_still_chosen_after_its_turn_begins_another_one()
    {
        _turns.Observe(First, Others);
        _time.Advance(HintTurns.LongestTurn);
        Assert.True(_turns.Offer().EndsTurn);

        _turns.Observe(First, Others);
        Assert.False(_turns.Offer().EndsTurn);
        _time.Advance(HintTurns.LongestTurn);

        Assert.True(_turns.Offer().EndsTurn);
    }

    [Fact]
    public async Task A_node_that_can_not_listen_reports_for_a_minute_that_it_is_full()
    {
        await using var host = Serve();
        AssertOffers(full: false);

        _turns.ListenFailed();
        _time.Advance(HintTurns.ListensAgainAfter - TimeSpan.FromSeconds(1));
        AssertOffers(full: true);
        _time.Advance(TimeSpan.FromSeconds(1));
        AssertOffers(full: false);
        _turns.ListenFailed();
        _turns.ListenSucceeded();

        AssertOffers(full: false);
    }

    [Fact]
    public async Task A_node_whose_store_is_too_slow_or_that_stops_reports_that_it_is_full()
    {
        await using var host = Serve();
        var node = new Node(Guid.NewGuid(), "node", TimeProvider.System);
        node.Extend(TimeProvider.System.GetTimestamp() + (3_600 * TimeProvider.System.TimestampFrequency));
        var outcome = new RunOutcome { EntryId = 1, Fence = 1, Kind = OutcomeKind.Completed };
        var pending = new PendingOutcome(outcome, node.Lease!.Accept(fence: 1), "test.work", Suspicion.None)
        {
            After = new TaskCompletionSource().Task,
        };
        var outcomes = host.Services.GetRequiredService<OutcomeWriter>();
        while (!outcomes.IsOverloaded)
        {
            outcomes.Add(pending);
        }

        AssertOffers(full: true);

        await using var other = Serve();
        AssertOffers(full: false);
        _turns.BeginStopping();
        AssertOffers(full: true);
    }

    [Fact]
    public void A_node_leaves_its_queues_to_the_first_after_three_heartbeats_and_none_once_it_is_the_first()
    {
        _turns.Observe(Last, Others);
        _turns.Observe(Last, Others);
        Assert.False(_turns.Leaves("default"));
        _turns.Observe(Last, Others);
        Assert.True(_turns.Leaves("default"));
        Assert.False(_turns.Leaves("other"));

        _turns.Observe(First, Others);
        Assert.False(_turns.Leaves("default"));
        _turns.Observe(Last, Others);

        Assert.False(_turns.Leaves("default"));
        Assert.Equal(Others.Length + 1, _turns.Nodes);
    }

    [Fact]
    public void A_node_that_finds_what_the_first_has_missed_serves_for_a_while()
    {
        Assert.Equal(TimeSpan.Zero, _turns.Patience("default"));
        Leave();
        Assert.Null(_turns.Patience("default"));

        _turns.FoundLate("default");
        Assert.False(_turns.Leaves("default"));
        Assert.Equal(TimeSpan.Zero, _turns.Patience("default"));
        _time.Advance(HintTurns.ServesFor - TimeSpan.FromMilliseconds(1));
        Assert.False(_turns.Leaves("default"));
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.True(_turns.Leaves("default"));
    }

    [Fact]
    public void The_second_node_that_listens_leaves_entries_to_the_first_for_a_short_time()
    {
        for (var heartbeat = 0; heartbeat < 3; heartbeat++)
        {
            _turns.Observe(Last with { Number = 11 }, Others);
        }

        Assert.True(_turns.Listens);
        Assert.Equal(TimeSpan.FromMilliseconds(PollLimits.NewMilliseconds), _turns.Patience("default"));
    }

    [Fact]
    public void A_node_that_is_not_chosen_ends_no_turn()
    {
        Leave();
        _time.Advance(HintTurns.LongestTurn);

        Assert.False(_turns.Offer().EndsTurn);
    }

    [Fact]
    public void With_a_store_in_which_all_listen_a_node_leaves_nothing()
    {
        Leave();

        _turns.Observe(null, Others);

        Assert.False(_turns.Leaves("default"));
    }

    [Theory]
    [InlineData(0, 20, 0)]
    [InlineData(4, 20, 0)]
    [InlineData(5, 20, 1)]
    [InlineData(19, 20, 3)]
    [InlineData(40, 20, 4)]
    [InlineData(0, 0, 0)]
    public void A_few_runs_more_or_less_are_the_same_load(int busy, int capacity, int level)
        => Assert.Equal(level, HintTurns.Level(busy, capacity));

    private WorkHost Serve()
    {
        var host = WorkHost.Create(new FakeQueueStore(), static builder => builder.AddWorker<TestArgs, TestWorker>());
        var queue = new QueueWorker("default", new QueueOptions(), host.Services.GetRequiredService<WorkServices>());
        _turns.Serve([new("default", queue)], Kinds);
        return host;
    }

    private void AssertOffers(bool full)
    {
        var offer = _turns.Offer();
        string[] fullLines = full ? [Line] : [];
        Assert.Equal([Line], offer.Queues);
        Assert.Equal(fullLines, offer.FullQueues);
    }

    private void Leave()
    {
        for (var heartbeat = 0; heartbeat < 3; heartbeat++)
        {
            _turns.Observe(Last, Others);
        }

        Assert.True(_turns.Leaves("default"));
    }
}
