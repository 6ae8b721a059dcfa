using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests the fence: only the latest claim of an entry can store its outcome, and only once.</summary>
public abstract class FenceTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_stale_outcome_is_refused_and_changes_nothing()
    {
        var (stale, fresh) = await GivenStaleAsync();

        var refused = await TryFinishAsync(stale.Node, stale.Outcome(OutcomeKind.Failed, error: "stale"));

        Assert.Equal((stale.Id, stale.Fence), Assert.Single(refused.Select(outcome => (outcome.EntryId, outcome.Fence))));
        var found = await FindAsync(stale.Id);
        Assert.Equal((EntryState.Running, fresh.Node.Name), (found.State, found.Node));
        await FinishAsync(fresh);
        Assert.Equal(EntryState.Completed, await StateAsync(stale.Id));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task A_stale_outcome_puts_nothing_back(OutcomeKind kind)
    {
        var (stale, fresh) = await GivenStaleAsync();

        Assert.Single(await TryFinishAsync(stale.Node, stale.Outcome(kind)));

        Assert.Empty((await ClaimAsync(fresh.Node)).Entries);
    }

    [Fact]
    public async Task A_stale_step_and_a_stale_checkpoint_are_refused()
    {
        var (stale, fresh) = await GivenStaleAsync();
        var key = new ProgressKey(stale.Id, null);

        var step = await Store.SaveStepAsync(stale.Node.Id, key, stale.Fence, "step", Json("1"), Cancellation);
        var checkpoint = await Store.SaveCheckpointAsync(stale.Node.Id, key, stale.Fence, Json("1"), Cancellation);

        Assert.False(step);
        Assert.False(checkpoint);
        var progress = await Store.LoadProgressAsync(key, Cancellation);
        Assert.Empty(progress.Steps);
        Assert.Null(progress.Checkpoint);
        Assert.True(await Store.SaveStepAsync(fresh.Node.Id, key, fresh.Fence, "step", Json("2"), Cancellation));
    }

    [Fact]
    public async Task A_repeated_outcome_is_taken_as_its_own()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held, result: "1");

        await FinishAsync(held, result: "2");

        var found = await FindAsync(held.Id);
        Assert.Equal(EntryState.Completed, found.State);
        SameJson("1", found.Result);
    }

    [Fact]
    public async Task A_repeated_outcome_is_its_own_when_the_entry_has_gone_on()
    {
        var node = GivenNode();
        var first = await GivenClaimedAsync(node);
        await FinishAsync(first, OutcomeKind.Retried, error: "boom");
        var second = await ClaimOneAsync(node, first.Id);

        await FinishAsync(first, OutcomeKind.Retried, error: "boom");

        Assert.Empty((await ClaimAsync(node)).Entries);
        Assert.Equal((EntryState.Running, 2), ((await FindAsync(first.Id)).State, (await FindAsync(first.Id)).Attempt));
        await FinishAsync(second);
    }

    [Fact]
    public async Task A_repeated_outcome_is_its_own_when_its_claim_has_been_removed()
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held);
        await Store.RemoveSettledClaimsAsync(held.Node.Id, [held.Fence], Cancellation);

        await FinishAsync(held);

        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
    }

    [Fact]
    public async Task A_flush_repeated_in_part_stores_the_rest()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 6);
        await FinishAsync(node, [.. ids[..3].Select(id => Outcome(id, fence))]);

        await FinishAsync(node, [.. ids.Select(id => Outcome(id, fence))]);

        Assert.All(await Task.WhenAll(ids.Select(StateAsync)), state => Assert.Equal(EntryState.Completed, state));
    }

    [Fact]
    public async Task A_refused_outcome_does_not_hold_up_the_others()
    {
        var (stale, _) = await GivenStaleAsync();
        var held = await GivenClaimedAsync(GivenNode());

        var refused = await TryFinishAsync(held.Node, held.Outcome(), Outcome(stale.Id, stale.Fence));

        Assert.Equal(stale.Id, Assert.Single(refused).EntryId);
        Assert.Equal(EntryState.Completed, await StateAsync(held.Id));
        Assert.Equal(EntryState.Running, await StateAsync(stale.Id));
    }

    [Fact]
    public async Task Another_nodes_claim_is_not_ones_own()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var thief = GivenNode();

        Assert.Single(await TryFinishAsync(thief, held.Outcome()));

        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
        Assert.False(await Store.SaveStepAsync(thief.Id, new ProgressKey(held.Id, null), held.Fence, "step", Json("1"), Cancellation));
    }

    [Fact]
    public async Task An_outcome_for_an_entry_that_is_not_in_the_claim_is_refused()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node);
        var waiting = await GivenEntryAsync();

        var refused = await TryFinishAsync(
            node, Outcome(waiting, held.Fence), Outcome(held.Id + 1000, held.Fence), Outcome(held.Id, held.Fence + 1000));

        Assert.Equal(3, refused.Count);
        Assert.Equal(EntryState.Waiting, await StateAsync(waiting));
        Assert.Equal(EntryState.Running, await StateAsync(held.Id));
    }

    [Fact]
    public async Task Nothing_is_stored_under_a_fence_that_has_its_outcome()
    {
        var held = await GivenClaimedAsync(GivenNode());
        var key = new ProgressKey(held.Id, null);
        await FinishAsync(held, OutcomeKind.Retried, error: "boom");

        Assert.False(await Store.SaveStepAsync(held.Node.Id, key, held.Fence, "late", Json("1"), Cancellation));
        Assert.False(await Store.SaveCheckpointAsync(held.Node.Id, key, held.Fence, Json("1"), Cancellation));
    }

    [Fact]
    public async Task A_finish_that_races_with_the_sweep_counts_once()
    {
        for (var round = 0; round < 5; round++)
        {
            var node = GivenNode();
            var (fence, ids) = await GivenBatchAsync(node, 40);
            Die(node);

            var finishing = Task.Run(() => TryFinishAsync(node, [.. ids.Select(id => Outcome(id, fence))]), Cancellation);
            var sweeping = Task.Run(() => SweepAsync(), Cancellation);
            var refused = (await finishing).Select(outcome => outcome.EntryId).ToHashSet();
            var recovered = (await sweeping).Items.Select(item => item.EntryId!.Value).Concat(
                (await SweepAsync()).Items.Select(item => item.EntryId!.Value)).ToArray();

            Assert.Equal(refused.Order(), recovered.Order());
            foreach (var id in ids)
            {
                Assert.Equal(refused.Contains(id) ? EntryState.Waiting : EntryState.Completed, await StateAsync(id));
            }

            await ClaimAsync(Judge);
        }
    }

    [Fact]
    public async Task Finishes_of_many_writers_in_one_claim_all_count()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 160);

        await Task.WhenAll(
            ids.Chunk(10).Select(chunk => Task.Run(() => FinishAsync(node, [.. chunk.Select(id => Outcome(id, fence))]), Cancellation)));

        Assert.Equal(160, (await Store.CountAsync(null, Cancellation)).Completed.Value);
    }

    /// <summary>Creates a node that was declared dead while it ran an entry, and the node that runs the entry now.</summary>
    private async Task<(Held Stale, Held Fresh)> GivenStaleAsync()
    {
        var stale = await GivenClaimedAsync(GivenNode("stale"));
        await DieAndSweepAsync(stale.Node);
        return (stale, await ClaimOneAsync(GivenNode("fresh"), stale.Id));
    }
}
