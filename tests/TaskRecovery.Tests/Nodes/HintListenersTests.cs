using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Nodes;

/// <summary>Which nodes listen for hints.</summary>
public sealed class HintListenersTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void In_a_small_fleet_every_node_listens_although_it_is_full_or_busy()
    {
        HintPlace[] places = [Place(1, full: true), Place(2, load: 4), Place(3, turnEndedAt: Noon)];

        Assert.Equal([1, 2, 3], Listeners(places));
    }

    [Fact]
    public void In_a_large_fleet_a_few_nodes_listen_whatever_its_size()
    {
        HintPlace[] places = [.. Enumerable.Range(1, 100).Select(number => Place(number, load: 1))];

        Assert.Equal(Enumerable.Range(1, HintListeners.PerQueue).Select(number => (long)number), Listeners(places));
    }

    [Fact]
    public void In_a_fleet_that_is_nearly_idle_the_first_node_and_one_that_takes_over_listen()
    {
        HintPlace[] places = [.. Enumerable.Range(1, 100).Select(number => Place(number, load: number > 75 ? 1 : 0))];

        Assert.Equal(Enumerable.Range(1, HintListeners.WithFirst).Select(number => (long)number), Listeners(places));
    }

    [Fact]
    public void Nodes_with_room_come_first_then_less_busy_ones_then_those_that_have_not_listened_for_long()
    {
        HintPlace[] places =
        [
            Place(1, full: true), Place(2, load: 2), Place(3, turnEndedAt: Noon), Place(4, turnEndedAt: Noon.AddSeconds(-1)), Place(5),
            Place(6, turnEndedAt: Noon.AddSeconds(-2)),
        ];

        Assert.Equal([4, 5, 6], Listeners(places));
    }

    [Fact]
    public void Every_queue_has_listeners()
    {
        HintPlace[] places =
            [.. Enumerable.Range(1, 9).Select(number => Place(number)), Place(10, queue: "rare"), Place(11, queue: "rare")];

        Assert.Equal([1, 2, 10, 11], Listeners(places));
    }

    [Fact]
    public void Nodes_that_run_the_same_kinds_stand_in_one_line_and_others_do_not()
    {
        var line = HintListeners.Line("default", HintListeners.MarkOf(["mail", "report"]));

        Assert.Equal(line, HintListeners.Line("default", HintListeners.MarkOf(["report", "mail"])));
        Assert.NotEqual(line, HintListeners.Line("default", HintListeners.MarkOf(["mail"])));
        Assert.NotEqual(line, HintListeners.Line("default", HintListeners.MarkOf(["mailreport"])));
        Assert.NotEqual(line, HintListeners.Line("other", HintListeners.MarkOf(["mail", "report"])));
    }

    [Fact]
    public void A_queue_for_which_the_first_are_full_has_others()
    {
        HintPlace[] places =
        [
            .. Enumerable.Range(1, 3).Select(number => new HintPlace(["a", "b"], ["b"], 0, null, number)),
            .. Enumerable.Range(4, 4).Select(number => new HintPlace(["a", "b"], [], 0, null, number)),
        ];

        // The first two listen for one queue, the next two for the other.
        Assert.Equal([1, 2, 4, 5], Listeners(places));
    }

    [Fact]
    public void A_node_that_reports_nothing_does_not_count()
    {
        PeerHeartbeat[] peers = [.. Enumerable.Range(1, 20).Select(static _ => new PeerHeartbeat(Guid.NewGuid(), "old", 1, true, true))];

        Assert.True(Listens(Place(99), peers));
    }

    [Theory]
    [InlineData(4, 0, true)]
    [InlineData(4, 1, true)]
    [InlineData(4, 2, false)]
    [InlineData(75, 18, true)]
    [InlineData(75, 19, false)]
    [InlineData(75, 150, false)]
    [InlineData(3, 0, false)]
    [InlineData(1, 0, false)]
    public void In_a_fleet_that_is_nearly_idle_all_nodes_but_the_first_leave_new_entries_to_it(int nodes, int load, bool leave)
    {
        // The last nodes are the busy ones.
        var places = Enumerable.Range(1, nodes).Select(
            number => Place(number, load: Math.Clamp(load - (2 * (nodes - number)), 0, 2))).ToArray();
        Assert.Equal(load, places.Sum(static place => place.Load));

        Assert.Equal(leave ? places.Skip(1) : [], places.Where(own => Leaves("default", own, PeersOf(own, places))));
    }

    [Fact]
    public void Nothing_is_left_to_a_first_node_that_is_full_or_busy()
    {
        HintPlace[] full = [.. Enumerable.Range(1, 20).Select(static number => Place(number, full: true))];
        HintPlace[] busy = [.. Enumerable.Range(1, 20).Select(static number => Place(number, load: 1))];

        Assert.DoesNotContain(full, own => Leaves("default", own, PeersOf(own, full)));
        Assert.DoesNotContain(busy, own => Leaves("default", own, PeersOf(own, busy)));
    }

    [Fact]
    public void The_shortest_line_of_a_node_is_that_with_the_fewest_nodes()
    {
        var own = new HintPlace(["default", "rare"], [], 0, null, 1);
        HintPlace[] places = [own, .. Enumerable.Range(2, 20).Select(static number => Place(number)), Place(22, queue: "rare")];

        Assert.Equal(2, Shortest(own, PeersOf(own, places)));
        Assert.Equal(21, Shortest(places[1], PeersOf(places[1], places)));
        Assert.Equal(1, Shortest(own with { Queues = [] }, PeersOf(own, places)));
    }

    [Fact]
    public void A_queue_is_left_only_if_enough_nodes_work_it()
    {
        HintPlace[] places =
            [.. Enumerable.Range(1, 20).Select(static number => Place(number)), Place(21, queue: "rare"), Place(22, queue: "rare")];

        Assert.False(Leaves("rare", places[^1], PeersOf(places[^1], places)));
        Assert.True(Leaves("default", places[1], PeersOf(places[1], places)));
    }

    [Fact]
    public void Nothing_is_left_to_nodes_that_report_nothing()
    {
        PeerHeartbeat[] peers = [.. Enumerable.Range(1, 20).Select(static _ => new PeerHeartbeat(Guid.NewGuid(), "old", 1, true, true))];

        Assert.False(Leaves("default", Place(99), peers));
    }

    private static IEnumerable<long> Listeners(HintPlace[] places)
        => places.Where(own => Listens(own, PeersOf(own, places))).Select(static place => place.Number);

    private static bool Listens(HintPlace own, PeerHeartbeat[] peers)
        => HintListeners.See(own, peers).Any(static line => line.Listens);

    private static bool Leaves(string line, HintPlace own, PeerHeartbeat[] peers)
        => HintListeners.See(own, peers).Single(seen => seen.Name == line).LeavesToFirst;

    private static int Shortest(HintPlace own, PeerHeartbeat[] peers)
        => HintListeners.LengthOfShortest(HintListeners.See(own, peers));

    private static PeerHeartbeat[] PeersOf(HintPlace own, HintPlace[] places)
        => [.. places.Where(place => place != own).Select(
            static place => new PeerHeartbeat(Guid.NewGuid(), "peer", 1, true, true) { Place = place })];

    private static HintPlace Place(
        long number, bool full = false, int load = 0, DateTimeOffset? turnEndedAt = null, string queue = "default")
        => new([queue], full ? [queue] : [], load, turnEndedAt, number);
}
