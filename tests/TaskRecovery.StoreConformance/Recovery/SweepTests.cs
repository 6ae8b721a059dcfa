using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Recovery;

/// <summary>Tests how the entries of dead nodes are recovered.</summary>
public abstract class SweepTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task Entry_of_a_dead_node_goes_back_to_the_queue()
    {
        var held = await GivenClaimedAsync(GivenNode("lost"));

        var report = await DieAndSweepAsync(held.Node);

        var item = Assert.Single(report.Items);
        Assert.Equal(
            (RecoveryAction.Recovered, held.Id, Work, "lost", 1), (item.Action, item.EntryId!.Value, item.Kind, item.Node, item.Crashes));
        var found = await FindAsync(held.Id);
        Assert.Equal((EntryState.Waiting, 0, 1), (found.State, found.Attempt, found.Crashes));
        var again = Assert.Single((await ClaimAsync(GivenNode())).Entries);
        Assert.Equal((held.Id, 1, 1), (again.Id, again.Attempt, again.Crashes));
    }

    [Fact]
    public async Task Work_that_was_claimed_while_the_clock_was_a_year_ahead_goes_back_to_the_queue()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await ShiftTimeAsync(TimeSpan.FromDays(-365));

        await DieAndSweepAsync(held.Node);

        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task Recovered_work_comes_first_in_line()
    {
        var node = GivenNode();
        var (_, ids) = await GivenBatchAsync(node, 3);
        var urgent = await GivenEntryAsync(Entry(priority: 0));
        await DieAndSweepAsync(node);

        var batch = await ClaimAsync(GivenNode());

        Assert.Equal([.. ids, urgent], batch.Entries.Select(entry => entry.Id));
        Assert.Equal([5, 5, 5, 0], batch.Entries.Select(entry => entry.Priority));
    }

    [Fact]
    public async Task A_claimer_that_is_far_ahead_finds_recovered_work()
    {
        var dying = GivenNode();
        var held = await GivenClaimedAsync(dying);
        var node = GivenNode();
        await GivenEntriesAsync(10);
        await node.Claimer().ClaimAsync(5, Everything, Cancellation);
        await DieAndSweepAsync(dying);

        var batch = await node.Claimer().ClaimAsync(1, Everything, Cancellation);

        Assert.Equal(held.Id, Assert.Single(batch.Entries).Id);
    }

    [Fact]
    public async Task A_crash_never_spends_an_attempt()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");
        await ClaimOneAsync(node, held.Id);

        await DieAndSweepAsync(node);

        Assert.Equal((2, 1), Assert.Single((await ClaimAsync(GivenNode())).Entries.Select(entry => (entry.Attempt, entry.Crashes))));
    }

    [Fact]
    public async Task What_living_nodes_run_is_left_alone()
    {
        var alive = await GivenClaimedAsync(GivenNode());
        var dead = await GivenClaimedAsync(GivenNode());

        var report = await DieAndSweepAsync(dead.Node);

        Assert.Equal(dead.Id, Assert.Single(report.Items).EntryId);
        Assert.Equal((EntryState.Running, 0), ((await FindAsync(alive.Id)).State, (await FindAsync(alive.Id)).Crashes));
        await FinishAsync(alive);
    }

    [Fact]
    public async Task What_the_dead_node_had_finished_is_not_run_again()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 5);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[1], fence, OutcomeKind.Failed), Outcome(
            ids[2], fence, OutcomeKind.Retried, error: "boom"));

        var report = await DieAndSweepAsync(node);

        Assert.Equal(ids[3..], report.Items.Select(item => item.EntryId!.Value).Order());
        Assert.Equal([ids[3], ids[4], ids[2]], (await ClaimAsync(GivenNode())).Entries.Select(entry => entry.Id));
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
    }

    [Fact]
    public async Task A_second_sweep_finds_nothing()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await DieAndSweepAsync(held.Node);

        Assert.Empty((await SweepAsync()).Items);
        Assert.Equal(1, (await FindAsync(held.Id)).Crashes);
    }

    [Fact]
    public async Task A_sweep_with_nobody_dead_does_nothing()
    {
        var held = await GivenClaimedAsync(GivenNode());

        Assert.Empty((await SweepAsync()).Items);
        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
    }

    [Fact]
    public async Task Sweeps_at_once_do_the_work_of_one()
    {
        var ids = new List<long>();
        var nodes = new List<TestNode>();
        for (var index = 0; index < 4; index++)
        {
            nodes.Add(GivenNode());
            ids.AddRange((await GivenBatchAsync(nodes[^1], 50)).Ids);
        }

        nodes.ForEach(Die);
        var stores = Enumerable.Range(0, 4).Select(_ => Fixture.OpenAnother()).ToArray();

        var reports = await Task.WhenAll(
            stores.Select(store => Task.Run(async () => await store.SweepAsync(MaxCrashes, Cancellation), Cancellation)));

        Assert.Equal(ids.Order(), reports.SelectMany(report => report.Items).Select(item => item.EntryId!.Value).Order());
        var claimed = (await ClaimAsync(GivenNode())).Entries;
        Assert.Equal(ids.Order(), claimed.Select(entry => entry.Id).Order());
        Assert.All(claimed, entry => Assert.Equal(1, entry.Crashes));
    }

    [Fact]
    public async Task All_claims_of_a_dead_node_are_swept_in_every_queue()
    {
        var node = GivenNode();
        var held = new List<Held>();
        for (var index = 0; index < 6; index++)
        {
            held.Add(await GivenClaimedAsync(node, Entry($"kind-{index % 2}", $"queue-{index % 3}")));
        }

        var report = await DieAndSweepAsync(node);

        Assert.Equal(held.Select(one => one.Id), report.Items.Select(item => item.EntryId!.Value).Order());
        Assert.All(report.Items, item => Assert.StartsWith("kind-", item.Kind, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Thousands_of_entries_are_swept_together()
    {
        var node = GivenNode();
        await GivenEntriesAsync(5000);
        while ((await ClaimAsync(node)).Entries.Count > 0)
        {
        }

        var report = await DieAndSweepAsync(node);

        Assert.Equal(5000, report.Recovered);
        Assert.Equal(5000, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Theory]
    [InlineData(Corruption.RunningAndWaiting)]
    [InlineData(Corruption.RunningTwice)]
    public async Task An_entry_in_two_places_stops_no_sweep(Corruption corruption)
    {
        var (first, second) = (GivenNode(), GivenNode());
        var (_, ids) = await GivenBatchAsync(first, 3);
        var other = await GivenClaimedAsync(second);
        await Fixture.CorruptAsync(corruption, ids[1], Cancellation);

        Die(first);
        Die(second);
        var report = await SweepAsync();

        Assert.Equal([.. ids, other.Id], report.Items.Select(static item => item.EntryId!.Value).Distinct().Order());
        Assert.Empty(await Store.ListClaimsAsync(first.Id, Cancellation));
        Assert.Empty(await Store.ListClaimsAsync(second.Id, Cancellation));
        Assert.Equal([.. ids, other.Id], (await ClaimAsync(GivenNode())).Entries.Select(static entry => entry.Id).Order());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_entry_that_two_claims_list_runs_no_more_if_its_cancellation_was_requested(bool dies)
    {
        BreaksTheInvariant = true;
        var held = await GivenClaimedAsync(GivenNode());
        await Fixture.CorruptAsync(Corruption.RunningTwice, held.Id, Cancellation);
        await Store.CancelAsync(held.Id, Cancellation);

        if (dies)
        {
            await DieAndSweepAsync(held.Node);
        }
        else
        {
            await Store.ReleaseClaimsAsync(held.Node.Id, await Store.ListClaimsAsync(held.Node.Id, Cancellation), Cancellation);
        }

        Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
        Assert.Empty((await ClaimAsync(GivenNode())).Entries);
        Assert.Empty(await Store.ListClaimsAsync(held.Node.Id, Cancellation));
    }

    [Fact]
    public async Task An_entry_that_two_claims_list_ends_if_it_has_crashed_too_often_under_one_of_them()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, MaxCrashes);
        var node = GivenNode();
        await ClaimOneAsync(node, id);
        await Fixture.CorruptAsync(Corruption.RunningTwice, id, Cancellation);

        await DieAndSweepAsync(node);

        var ended = await FindAsync(id);
        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), (ended.State, ended.Reason));
        Assert.Empty((await ClaimAsync(GivenNode())).Entries);
    }

    [Fact]
    public async Task What_a_node_leaves_behind_when_it_stops_is_released_without_a_crash()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 2);
        await FinishAsync(node, Outcome(ids[0], fence));

        node.Session.Leave(node.Id);
        var report = await SweepAsync();

        Assert.Equal(ids[1], Assert.Single(report.Items).EntryId);
        Assert.Equal((ids[1], 1, 0), Assert.Single(
            (await ClaimAsync(GivenNode())).Entries.Select(entry => (entry.Id, entry.Attempt, entry.Crashes))));
        Assert.True((await ClaimAsync(node)).NodeIsDead);
    }

    [Fact]
    public async Task What_a_node_leaves_behind_keeps_its_crash_count()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 2);
        var node = GivenNode();
        await ClaimOneAsync(node, id);

        node.Session.Leave(node.Id);
        var report = await SweepAsync();

        var item = Assert.Single(report.Items);
        Assert.Equal((2, false), (item.Crashes, item.NodeDied));
        Assert.Equal(2, Assert.Single((await ClaimAsync(GivenNode())).Entries).Crashes);
    }

    [Fact]
    public async Task A_heartbeat_reports_that_a_dead_node_still_has_claims()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var before = Judge.Beat().DeadWithClaims;
        Die(held.Node);
        var between = Judge.Beat().DeadWithClaims;
        await SweepAsync();

        Assert.False(before);
        Assert.True(between);
        Assert.False(Judge.Beat().DeadWithClaims);
    }

    [Fact]
    public async Task Claims_that_race_with_the_death_of_their_node_are_found()
    {
        for (var round = 0; round < 5; round++)
        {
            var node = GivenNode(store: Fixture.OpenAnother());
            var ids = await GivenEntriesAsync(60);
            var first = await ClaimAsync(node, 2);
            Assert.Equal(2, first.Entries.Count);

            var claiming = Task.Run(
                async () =>
                {
                    while (await ClaimAsync(node, 2) is { NodeIsDead: false, Entries.Count: > 0 })
                    {
                    }
                },
                Cancellation);
            Die(node);
            await SweepAsync();
            await claiming;
            await SweepAsync();

            Assert.False(Judge.Beat().DeadWithClaims);
            Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
            var again = await ClaimAsync(Judge);
            Assert.Equal(ids, again.Entries.Select(entry => entry.Id).Order());
            await FinishAsync(Judge, [.. again.Entries.Select(entry => Outcome(entry.Id, again.Fence))]);
        }
    }
}
