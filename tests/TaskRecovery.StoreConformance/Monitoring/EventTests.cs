using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>The record of what happened to nodes and in recovery.</summary>
public abstract class EventTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task Nodes_that_join_leave_and_die_are_recorded_newest_first()
    {
        var leaver = GivenNode("leaver");
        var victim = GivenNode("victim");
        leaver.Session.Leave(leaver.Id);
        var peer = Watch(victim)!.Value;
        WaitUntil(
            () => Judge.Session.MarkDead([peer with { Proof = DeathProof.LockFree }], "judge").Count == 1, "the node is declared dead");

        var page = await Monitor.ListEventsAsync(new EventQuery(), Cancellation);

        Assert.Equal(
            [
                (QueueEventKind.NodeDied, "victim"), (QueueEventKind.NodeJoined, "judge"),
                (QueueEventKind.NodeLeft, "leaver"), (QueueEventKind.NodeJoined, "victim"),
                (QueueEventKind.NodeJoined, "leaver"),
            ],
            page.Events.Select(happened => (happened.Kind, happened.Node)));
        Assert.Equal("its lock is free; declared by node judge", page.Events[0].Detail);
        Assert.Null(page.NextBefore);
    }

    [Fact]
    public async Task A_sweep_is_recorded_with_the_number_of_entries()
    {
        var node = GivenNode("victim");
        await GivenBatchAsync(node, 3);
        await DieAndSweepAsync(node);

        var swept = Assert.Single(await ListAsync(new EventQuery { Kinds = [QueueEventKind.Swept] }));

        Assert.Equal(("victim", 3L), (swept.Node, swept.Entries!.Value));
    }

    [Fact]
    public async Task A_sweep_that_found_nothing_is_not_recorded()
    {
        await DieAndSweepAsync(GivenNode());
        await SweepAsync();

        Assert.Empty(await ListAsync(new EventQuery { Kinds = [QueueEventKind.Swept] }));
    }

    [Fact]
    public async Task A_crash_loop_is_recorded_and_is_part_of_the_entrys_life()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, MaxCrashes + 1);

        var loop = Assert.Single(await ListAsync(new EventQuery { EntryId = id }));
        var life = await Monitor.GetLifeAsync(id, null, Cancellation);

        Assert.Equal((QueueEventKind.CrashLoop, id, Work), (loop.Kind, loop.EntryId, loop.Subject));
        Assert.Equal(loop, Assert.Single(life!.Events));
    }

    [Fact]
    public async Task Events_have_pages_and_can_be_followed()
    {
        for (var number = 0; number < 5; number++)
        {
            GivenNode($"node-{number}");
        }

        var first = await Monitor.ListEventsAsync(new EventQuery { Limit = 3 }, Cancellation);
        var second = await Monitor.ListEventsAsync(new EventQuery { Limit = 3, Before = first.NextBefore }, Cancellation);
        var newer = await ListAsync(new EventQuery { After = first.Events[1].Id });
        var one = await ListAsync(new EventQuery { Node = "node-2" });

        Assert.Equal(["node-4", "node-3", "node-2"], first.Events.Select(joined => joined.Node));
        Assert.Equal(["node-1", "node-0"], second.Events.Select(joined => joined.Node));
        Assert.Null(second.NextBefore);
        Assert.Equal(["node-4"], newer.Select(joined => joined.Node));
        Assert.Single(one);
    }

    [Fact]
    public async Task A_search_examines_no_more_events_than_it_may_and_says_how_far_it_looked()
    {
        for (var number = 0; number < 5; number++)
        {
            GivenNode($"node-{number}");
        }

        var all = await ListAsync(new EventQuery());
        var query = new EventQuery { Actor = "nobody", MaxExamined = 3 };
        var first = await Monitor.ListEventsAsync(query, Cancellation);
        var second = await Monitor.ListEventsAsync(query with { Before = first.NextBefore }, Cancellation);

        Assert.Empty(first.Events);
        Assert.Equal(((long?)all[2].Id, (DateTimeOffset?)all[2].At), (first.NextBefore, first.SearchedBackTo));
        Assert.Equal((0, null, null), (second.Events.Count, second.NextBefore, second.SearchedBackTo));
    }

    [Fact]
    public async Task Events_are_removed_after_thirty_days()
    {
        GivenNode("old");
        await ShiftTimeAsync(TimeSpan.FromDays(31));
        GivenNode("young");

        while (await Monitor.CondenseAsync(Cancellation))
        {
        }

        Assert.Equal(["young"], (await ListAsync(new EventQuery())).Select(joined => joined.Node));
    }

    private async Task<IReadOnlyList<QueueEvent>> ListAsync(EventQuery query)
        => (await Monitor.ListEventsAsync(query, Cancellation)).Events;
}
