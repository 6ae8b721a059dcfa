using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests entries that are stored as claimed: the claim is like any other and does not overtake waiting entries.</summary>
public abstract class ClaimedEnqueueTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task Entries_are_stored_and_claimed_at_once()
    {
        var node = GivenNode("worker-7");
        NewEntry[] entries =
        [
            Entry(
                args: """{"n":1}""", maxAttempts: 4) with { Timeout = TimeSpan.FromSeconds(9),
                Metadata = """{"a":"b"}""", TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
            Entry(args: """{"n":2}""", priority: 2),
        ];

        var (results, batch) = await EnqueueClaimedAsync(node, entries);

        Assert.Equal(results.Select(result => result.Id).Order(), batch.Entries.Select(entry => entry.Id).Order());
        Assert.All(results, result => Assert.False(result.IsDuplicate));
        Assert.True(results[0].Id < results[1].Id);
        Assert.True(batch.Fence > 0);
        var one = Assert.Single(batch.Entries, entry => entry.Id == results[0].Id);
        SameJson("""{"n":1}""", one.Args);
        Assert.Equal((Work, 5, 1, 4, 0), (one.Kind, one.Priority, one.Attempt, one.MaxAttempts, one.Crashes));
        Assert.Equal(TimeSpan.FromSeconds(9), one.Timeout);
        SameJson("""{"a":"b"}""", one.Metadata);
        Assert.Equal(entries[0].TraceParent, one.TraceParent);
        var found = await FindAsync(one.Id);
        Assert.Equal((EntryState.Running, "worker-7", 1), (found.State, found.Node, found.Attempt));
        Assert.Equal(found.CreatedAt, one.CreatedAt);
    }

    [Fact]
    public async Task Their_outcomes_are_accepted_and_their_claim_goes()
    {
        var node = GivenNode();
        var (results, batch) = await EnqueueClaimedAsync(node, Entry(), Entry());

        foreach (var result in results)
        {
            await FinishAsync(new Held(node, result.Id, batch.Fence));
            Assert.Equal(EntryState.Completed, await StateAsync(result.Id));
        }

        await Store.RemoveSettledClaimsAsync(node.Id, [batch.Fence], Cancellation);
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public async Task Nobody_is_passed_in_line(int priority, bool isClaimed)
    {
        var node = GivenNode();
        await ClaimAsync(node);
        var before = await GivenEntryAsync(Entry(priority: priority));

        var (results, batch) = await EnqueueClaimedAsync(node, Entry(priority: 4), Entry(priority: 5));

        Assert.Equal(isClaimed ? 2 : 0, batch.Entries.Count);
        long[] waiting = isClaimed ? [before] : priority < 4 ? [before, results[0].Id, results[1].Id] : [
            results[0].Id, before, results[1].Id];
        Assert.Equal(waiting, (await ClaimAsync(node)).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task What_came_back_from_a_crash_is_not_passed()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await DieAndSweepAsync(held.Node);
        var node = GivenNode();

        var (results, batch) = await EnqueueClaimedAsync(node, Entry(priority: 0));

        Assert.Empty(batch.Entries);
        Assert.Equal([held.Id, results[0].Id], (await ClaimAsync(node)).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_suspect_that_waits_for_its_turn_holds_up_nobody()
    {
        var suspect = await GivenEntryAsync();
        await CrashAsync(suspect, times: 2);

        var (_, batch) = await EnqueueClaimedAsync(GivenNode(), Entry());

        Assert.Single(batch.Entries);
        Assert.Equal(EntryState.Waiting, await StateAsync(suspect));
    }

    [Fact]
    public async Task With_one_crash_allowed_those_at_their_last_chance_are_the_ones_that_wait()
    {
        var suspect = await GivenEntryAsync();
        await CrashAsync(suspect, times: 1, maxCrashes: 1);
        var node = GivenNode();
        await ClaimAsync(node, suspects: new SuspectAllowance(1, 0, 0));

        var (_, batch) = await EnqueueClaimedAsync(node, Entry());

        Assert.Single(batch.Entries);
        Assert.Equal(EntryState.Waiting, await StateAsync(suspect));
    }

    [Fact]
    public async Task Entries_of_unknown_kinds_hold_up_nobody()
    {
        var node = GivenNode();
        await GivenEntryAsync(Entry("unknown", priority: 0));

        var (_, batch) = await EnqueueClaimedAsync(node, Entry());

        Assert.Single(batch.Entries);
    }

    [Fact]
    public async Task What_is_due_later_or_in_another_queue_is_not_before_them()
    {
        await GivenEntryAsync(Entry(after: TimeSpan.FromHours(1), priority: 0));
        await GivenEntryAsync(Entry(queue: "other", priority: 0));

        var (_, batch) = await EnqueueClaimedAsync(GivenNode(), Entry());

        Assert.Single(batch.Entries);
    }

    [Fact]
    public async Task In_a_paused_queue_they_wait()
    {
        var node = GivenNode();
        await Store.SetPausedAsync(DefaultQueue, paused: true, Cancellation);

        var (results, batch) = await EnqueueClaimedAsync(node, Entry());

        Assert.Empty(batch.Entries);
        Assert.Equal(EntryState.Waiting, await StateAsync(results[0].Id));
        await Store.SetPausedAsync(DefaultQueue, paused: false, Cancellation);
        await ClaimOneAsync(node, results[0].Id);
    }

    [Fact]
    public async Task Those_of_a_dead_node_wait_for_others()
    {
        var node = GivenNode();
        Die(node);

        var (results, batch) = await EnqueueClaimedAsync(node, Entry());

        Assert.True(batch.NodeIsDead);
        Assert.Empty(batch.Entries);
        await ClaimOneAsync(GivenNode(), results[0].Id);
    }

    [Fact]
    public async Task A_dead_nodes_entries_are_taken_back_with_a_crash()
    {
        var node = GivenNode();
        var (results, _) = await EnqueueClaimedAsync(node, Entry());

        await DieAndSweepAsync(node);

        var batch = await ClaimAsync(GivenNode());
        Assert.Equal((results[0].Id, 1), (Assert.Single(batch.Entries).Id, batch.Entries[0].Crashes));
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_released_without_one()
    {
        var node = GivenNode();
        var (results, batch) = await EnqueueClaimedAsync(node, Entry());
        Assert.Equal([batch.Fence], await Store.ListClaimsAsync(node.Id, Cancellation));

        Assert.Equal(1, await Store.ReleaseClaimsAsync(node.Id, [batch.Fence], Cancellation));

        var again = await ClaimAsync(node);
        Assert.Equal((results[0].Id, 0, 1), (Assert.Single(again.Entries).Id, again.Entries[0].Crashes, again.Entries[0].Attempt));
    }

    [Fact]
    public async Task A_cancel_reaches_the_run()
    {
        var node = GivenNode();
        var (results, _) = await EnqueueClaimedAsync(node, Entry());

        Assert.True(await Store.CancelAsync(results[0].Id, Cancellation));

        var polled = await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], WithUnknownKinds: false), Cancellation);
        Assert.Equal([results[0].Id], polled.CancelRequests);
    }

    [Fact]
    public async Task Many_that_are_stored_and_claimed_by_several_at_once_go_to_one_each()
    {
        var nodes = Enumerable.Range(0, 4).Select(_ => GivenNode(store: Fixture.OpenAnother())).ToArray();

        var started = await Task.WhenAll(nodes.Select(node => Task.Run(() => WorkAsync(node), Cancellation)));

        var claimed = started.SelectMany(one => one.Claimed).ToArray();
        Assert.Equal(started.SelectMany(one => one.Stored).Order(), claimed.Order());

        async Task<(List<long> Stored, List<long> Claimed)> WorkAsync(TestNode node)
        {
            var (stored, taken) = (new List<long>(), new List<long>());
            for (var round = 0; round < 50; round++)
            {
                var (results, batch) = await EnqueueClaimedAsync(node, Entry(), Entry());
                stored.AddRange(results.Select(result => result.Id));
                taken.AddRange(batch.Entries.Select(entry => entry.Id));
                taken.AddRange((await ClaimAsync(node)).Entries.Select(entry => entry.Id));
            }

            taken.AddRange((await ClaimAsync(node)).Entries.Select(entry => entry.Id));
            return (stored, taken);
        }
    }

    private static async Task<(EnqueueResult[] Results, ClaimBatch Batch)> EnqueueClaimedAsync(TestNode node, params NewEntry[] entries)
    {
        var stored = await node.Claimer().EnqueueAsync(entries, Cancellation);
        Assert.NotNull(stored);
        return (stored.Results, stored.Batch);
    }
}
