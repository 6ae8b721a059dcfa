using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Recovery;

/// <summary>Tests claims whose answers were lost, and the removal of settled claims.</summary>
public abstract class LostAnswerTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_nodes_claims_are_listed_oldest_first()
    {
        var node = GivenNode();
        var fences = new List<long>();
        for (var round = 0; round < 3; round++)
        {
            fences.Add((await GivenClaimedAsync(node)).Fence);
        }

        await GivenClaimedAsync(GivenNode());

        Assert.Equal(fences, await Store.ListClaimsAsync(node.Id, Cancellation));
    }

    [Fact]
    public async Task A_claim_whose_answer_was_lost_is_released_without_crash_or_attempt()
    {
        var node = GivenNode();
        var known = await GivenClaimedAsync(node);
        var (lost, ids) = await GivenBatchAsync(node, 3);

        var given = await Store.ReleaseClaimsAsync(node.Id, [lost], Cancellation);

        Assert.Equal(3, given);
        Assert.Equal([known.Fence], await Store.ListClaimsAsync(node.Id, Cancellation));
        var again = (await ClaimAsync(node)).Entries;
        Assert.Equal(ids, again.Select(entry => entry.Id));
        Assert.All(again, entry => Assert.Equal((1, 0), (entry.Attempt, entry.Crashes)));
        Assert.Equal(EntryState.Running, await StateAsync(known.Id));
    }

    [Fact]
    public async Task An_answer_that_arrives_after_the_claim_was_released_is_worth_nothing()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        await Store.ReleaseClaimsAsync(node.Id, [held.Fence], Cancellation);

        Assert.Single(await TryFinishAsync(node, held.Outcome()));
        Assert.False(await Store.SaveStepAsync(node.Id, new ProgressKey(held.Id, null), held.Fence, "one", Json("1"), Cancellation));
        Assert.Equal(EntryState.Waiting, await StateAsync(held.Id));
    }

    [Fact]
    public async Task What_had_its_outcome_is_not_released()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(
            node, Outcome(ids[0], fence), Outcome(ids[1], fence, OutcomeKind.Retried, error: "x", delay: TimeSpan.FromHours(1)));

        Assert.Equal(1, await Store.ReleaseClaimsAsync(node.Id, [fence], Cancellation));

        Assert.Equal(EntryState.Completed, await StateAsync(ids[0]));
        Assert.Equal([ids[2]], (await ClaimAsync(node)).Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Giving_back_twice_or_what_is_anothers_or_unknown_gives_nothing()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var other = await GivenClaimedAsync(GivenNode());
        await Store.ReleaseClaimsAsync(node.Id, [held.Fence], Cancellation);

        Assert.Equal(0, await Store.ReleaseClaimsAsync(node.Id, [held.Fence, other.Fence, other.Fence + 1000], Cancellation));

        Assert.Equal(EntryState.Running, await StateAsync(other.Id));
        Assert.Single((await ClaimAsync(node)).Entries);
    }

    [Fact]
    public async Task What_is_released_keeps_its_crash_count_and_place()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, 1);
        var node = GivenNode();
        var held = await ClaimOneAsync(node, id);
        var urgent = await GivenEntryAsync(Entry(priority: 0));

        await Store.ReleaseClaimsAsync(node.Id, [held.Fence], Cancellation);

        Assert.Equal([(id, 1), (urgent, 0)], (await ClaimAsync(node)).Entries.Select(entry => (entry.Id, entry.Crashes)));
    }

    [Theory]
    [InlineData(Corruption.RunningAndWaiting)]
    [InlineData(Corruption.RunningTwice)]
    public async Task An_entry_in_two_places_stops_no_release(Corruption corruption)
    {
        var node = GivenNode();
        var (_, ids) = await GivenBatchAsync(node, 3);
        await Fixture.CorruptAsync(corruption, ids[1], Cancellation);

        await Store.ReleaseClaimsAsync(node.Id, await Store.ListClaimsAsync(node.Id, Cancellation), Cancellation);

        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal(ids, (await ClaimAsync(node)).Entries.Select(static entry => entry.Id).Order());
    }

    [Fact]
    public async Task Giving_back_races_with_the_sweep_and_the_work_waits_once()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 50);
        Die(node);

        var giving = Task.Run(async () => await Store.ReleaseClaimsAsync(node.Id, [fence], Cancellation), Cancellation);
        var sweeping = Task.Run(() => SweepAsync(), Cancellation);
        await Task.WhenAll(giving, sweeping);
        await SweepAsync();

        Assert.Equal(ids, (await ClaimAsync(GivenNode())).Entries.Select(entry => entry.Id).Order());
    }

    [Fact]
    public async Task A_settled_claim_is_removed()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[1], fence, OutcomeKind.Retried, error: "x"), Outcome(
            ids[2], fence, OutcomeKind.Snoozed));

        await Store.RemoveSettledClaimsAsync(node.Id, [fence], Cancellation);

        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal(EntryState.Completed, await StateAsync(ids[0]));
    }

    [Fact]
    public async Task A_claim_with_anything_unfinished_stays_whatever_the_caller_says()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await FinishAsync(node, Outcome(ids[0], fence), Outcome(ids[1], fence));

        await Store.RemoveSettledClaimsAsync(node.Id, [fence], Cancellation);

        Assert.Equal([fence], await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal(EntryState.Running, await StateAsync(ids[2]));
        await FinishAsync(node, Outcome(ids[2], fence));
    }

    [Fact]
    public async Task A_claim_is_removed_by_its_own_node_only()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held);

        await Store.RemoveSettledClaimsAsync(GivenNode().Id, [held.Fence], Cancellation);

        Assert.Equal([held.Fence], await Store.ListClaimsAsync(held.Node.Id, Cancellation));
    }
}
