using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests claims: an entry goes to one node, and only to a node that handles its kind.</summary>
public abstract class ClaimTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_claim_of_large_entries_stops_at_its_bytes_and_misses_none()
    {
        var large = "\"" + new string('x', 1024 * 1024) + "\"";
        var ids = new List<long>();
        for (var number = 0; number < 40; number++)
        {
            ids.AddRange(await GivenEntriesAsync(1, _ => Entry(args: large)));
        }

        var node = GivenNode();
        var claimer = node.Claimer(DefaultQueue, Work);
        var claimed = new List<ClaimedEntry>();
        for (var claims = 0; claimed.Count < ids.Count; claims++)
        {
            Assert.True(claims < 3, "Three claims of 16 MiB did not bring 40 entries of 1 MiB.");
            var batch = await claimer.ClaimAsync(1000, Everything, Cancellation);
            claimed.AddRange(batch.Entries);
            Assert.InRange(batch.Entries.Sum(entry => entry.Args.Length), 1, ClaimLimits.Bytes + large.Length);
            Assert.Equal(claimed.Count < ids.Count, batch.NextDue == TimeSpan.Zero);
        }

        Assert.Equal(ids, claimed.Select(entry => entry.Id));
        Assert.All(claimed, entry => Assert.Equal(large.Length, entry.Args.Length));
    }

    [Fact]
    public async Task A_claimed_entry_is_running_on_its_node()
    {
        var node = GivenNode("worker-7");

        var held = await GivenClaimedAsync(node);

        var found = await FindAsync(held.Id);
        Assert.True(held.Fence > 0);
        Assert.Equal(EntryState.Running, found.State);
        Assert.Equal("worker-7", found.Node);
        Assert.Equal(1, found.Attempt);
        Assert.NotNull(found.StartedAt);
        Assert.Null(found.EndedAt);
    }

    [Fact]
    public async Task What_is_claimed_is_not_claimed_again()
    {
        var ids = await GivenEntriesAsync(20);

        var one = await ClaimAsync(GivenNode(), 12);
        var two = await ClaimAsync(GivenNode());

        Assert.Equal(ids, one.Entries.Concat(two.Entries).Select(entry => entry.Id));
    }

    [Fact]
    public async Task Each_claim_has_a_greater_fence()
    {
        var fences = new List<long>();
        var nodes = new[] { GivenNode(), GivenNode() };
        for (var round = 0; round < 10; round++)
        {
            fences.Add((await GivenClaimedAsync(nodes[round % 2])).Fence);
        }

        Assert.Equal(fences.Order().Distinct(), fences);
    }

    [Fact]
    public async Task Fences_go_on_growing_when_old_claims_are_gone()
    {
        var node = GivenNode();
        var first = await GivenClaimedAsync(node);
        await FinishAsync(first);
        await Store.RemoveSettledClaimsAsync(node.Id, [first.Fence], Cancellation);

        var second = await GivenClaimedAsync(node);

        Assert.True(second.Fence > first.Fence);
    }

    [Fact]
    public async Task Claimers_at_the_same_time_take_disjoint_entries_and_leave_none()
    {
        var ids = await GivenEntriesAsync(600, index => Entry(priority: index % 3));
        var nodes = Enumerable.Range(0, 4).Select(_ => GivenNode(store: Fixture.OpenAnother())).ToArray();

        var claimed = await Task.WhenAll(nodes.Select(node => Task.Run(() => DrainAsync(node), Cancellation)));

        var all = claimed.SelectMany(one => one).ToArray();
        Assert.Equal(ids, all.Order());
    }

    [Fact]
    public async Task Only_known_kinds_are_claimed()
    {
        var node = GivenNode();
        var ids = await GivenEntriesAsync(9, index => Entry($"kind-{index % 3}"));

        var batch = await ClaimAsync(node, kinds: ["kind-0", "kind-2"]);

        Assert.Equal(ids.Where((_, index) => index % 3 != 1), batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_kind_that_nobody_had_used_when_the_claimer_was_made_is_claimed_all_the_same()
    {
        var node = GivenNode();
        var empty = await ClaimAsync(node, kinds: ["seen.later", Work]);
        var id = await Fixture.OpenAnother().EnqueueAsync([Entry("seen.later")], null, Cancellation);

        var batch = await ClaimAsync(node, kinds: ["seen.later", Work]);

        Assert.Empty(empty.Entries);
        Assert.Equal(id[0].Id, Assert.Single(batch.Entries).Id);
    }

    [Fact]
    public async Task A_mountain_of_an_unknown_kind_at_the_front_hides_nothing_and_slows_nothing()
    {
        var node = GivenNode();
        for (var round = 0; round < 5; round++)
        {
            await GivenEntriesAsync(10_000, _ => Entry("unknown", priority: 0));
        }

        var ids = await GivenEntriesAsync(20);
        await GivenEntriesAsync(20, _ => Entry(queue: "flat"));

        var claimed = new List<long>();
        var (times, usual) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var round = 0; round < 20; round++)
        {
            await TimedClaimAsync("flat", usual);
            claimed.AddRange((await TimedClaimAsync(DefaultQueue, times)).Entries.Select(entry => entry.Id));
        }

        // The medians: a machine that stops a claim for a moment stops few of them.
        Assert.Equal(ids, claimed);
        Assert.InRange(
            times.Order().ElementAt(10), TimeSpan.Zero, (10 * usual.Order().ElementAt(10)) + TimeSpan.FromSeconds(1));

        async Task<ClaimBatch> TimedClaimAsync(string queue, List<TimeSpan> took)
        {
            var started = TimeProvider.System.GetTimestamp();
            var batch = await node.Claimer(queue).ClaimAsync(1, Everything, Cancellation);
            took.Add(TimeProvider.System.GetElapsedTime(started));
            return batch;
        }
    }

    [Fact]
    public async Task A_claim_takes_from_its_own_queue_only()
    {
        var node = GivenNode();
        await GivenEntriesAsync(3, _ => Entry(queue: "a"));
        var b = await GivenEntriesAsync(2, _ => Entry(queue: "b"));

        var batch = await ClaimAsync(node, queue: "b");

        Assert.Equal(b, batch.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_dead_node_claims_nothing_and_is_told_so()
    {
        var node = GivenNode();
        var id = await GivenEntryAsync();
        Die(node);

        var batch = await ClaimAsync(node);

        Assert.True(batch.NodeIsDead);
        Assert.Empty(batch.Entries);
        Assert.Equal(EntryState.Waiting, await StateAsync(id));
    }

    [Fact]
    public async Task A_node_that_never_registered_claims_nothing_and_is_told_so()
    {
        var id = await GivenEntryAsync();

        var batch = await Store.CreateClaimer(Guid.NewGuid(), DefaultQueue, [Work]).ClaimAsync(10, Everything, Cancellation);

        Assert.True(batch.NodeIsDead);
        Assert.Empty(batch.Entries);
        Assert.Equal(EntryState.Waiting, await StateAsync(id));
    }

    [Fact]
    public async Task A_paused_queue_hands_out_nothing_until_it_is_resumed()
    {
        var node = GivenNode();
        var paused = await GivenEntryAsync(Entry(queue: "a"));
        var other = await GivenEntryAsync(Entry(queue: "b"));
        await Store.SetPausedAsync("a", true, Cancellation);
        await Store.SetPausedAsync("a", true, Cancellation);

        var whilePaused = await ClaimAsync(node, queue: "a");
        var elsewhere = await ClaimAsync(node, queue: "b");
        var later = await GivenEntryAsync(Entry(queue: "a"));
        await Store.SetPausedAsync("a", false, Cancellation);
        var resumed = await ClaimAsync(node, queue: "a");

        Assert.Empty(whilePaused.Entries);
        Assert.Equal(other, Assert.Single(elsewhere.Entries).Id);
        Assert.Equal([paused, later], resumed.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_pause_holds_for_every_node_and_lets_running_entries_end()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await GivenEntryAsync();

        await Store.SetPausedAsync(DefaultQueue, true, Cancellation);
        var other = await ClaimAsync(GivenNode(store: Fixture.OpenAnother()));
        await FinishAsync(held);

        Assert.Empty(other.Entries);
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    private static async Task<List<long>> DrainAsync(TestNode node)
    {
        var ids = new List<long>();
        while (true)
        {
            var batch = await ClaimAsync(node, 17);
            if (batch.Entries.Count == 0)
            {
                return ids;
            }

            ids.AddRange(batch.Entries.Select(entry => entry.Id));
        }
    }
}
