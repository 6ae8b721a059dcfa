using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests entries whose row another program has removed, by hand or by a restore of some tables: they end, and stop
/// nothing.</summary>
public abstract class LostEntryTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_waiting_row_without_an_entry_is_claimed_with_a_problem_and_ends()
    {
        // A store may keep the outcome.
        BreaksTheInvariant = true;
        var node = GivenNode();
        var ids = await GivenEntriesAsync(3, static index => Entry(key: $"key-{index}"));
        await Fixture.CorruptAsync(Corruption.EntryLost, ids[1], Cancellation);

        var batch = await ClaimAsync(node);
        await FinishAsync(node, [.. batch.Entries.Select(entry => End(entry, batch.Fence))]);
        await Store.RemoveSettledClaimsAsync(node.Id, [batch.Fence], Cancellation);

        Assert.Equal([(ids[0], false), (ids[1], true), (ids[2], false)], batch.Entries.Select(Read));
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal(EntryState.Completed, await StateAsync(ids[2]));
        await GivenClaimedAsync(node, Entry(key: "key-1"));
    }

    [Fact]
    public async Task An_entry_that_is_missing_alone_stops_no_queue()
    {
        BreaksTheInvariant = true;
        var node = GivenNode();
        var id = await GivenEntryAsync();
        await Fixture.CorruptAsync(Corruption.EntryLost, id, Cancellation);

        var batch = await ClaimAsync(node);
        var lost = Assert.Single(batch.Entries);
        await FinishAsync(node, End(lost, batch.Fence));
        var poll = await Store.PollAsync(new PollRequest(node.Id, [DefaultQueue], [Work], WithUnknownKinds: false), Cancellation);

        Assert.Equal((id, true), Read(lost));
        Assert.Empty(poll.DueQueues);
        await GivenClaimedAsync(node);
    }

    [Fact]
    public async Task A_claim_that_lists_an_entry_that_is_missing_is_released()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await Fixture.CorruptAsync(Corruption.EntryLost, ids[1], Cancellation);

        await Store.ReleaseClaimsAsync(node.Id, [fence], Cancellation);

        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal([ids[0], ids[2]], (await ClaimAsync(node)).Entries.Select(static entry => entry.Id));
    }

    [Fact]
    public async Task The_sweep_of_a_claim_that_lists_an_entry_that_is_missing_recovers_the_others()
    {
        var node = GivenNode();
        var (_, ids) = await GivenBatchAsync(node, 3);
        await Fixture.CorruptAsync(Corruption.EntryLost, ids[1], Cancellation);

        var report = await DieAndSweepAsync(node);

        Assert.Equal([ids[0], ids[2]], report.Items.Select(static item => item.EntryId!.Value).Order());
        Assert.Empty(await Store.ListClaimsAsync(node.Id, Cancellation));
        Assert.Equal([ids[0], ids[2]], (await ClaimAsync(GivenNode())).Entries.Select(static entry => entry.Id));
    }

    [Theory]
    [InlineData(EntryState.Waiting)]
    [InlineData(EntryState.Running)]
    [InlineData(EntryState.Waiting, EntryState.Running)]
    public async Task An_entry_that_is_missing_ends_no_search(params EntryState[] states)
    {
        BreaksTheInvariant = true;
        var ids = await GivenEntriesAsync(30, index => Entry(index == 0 ? "rare" : Work));
        if (!states.Contains(EntryState.Waiting))
        {
            await ClaimAsync(GivenNode(), kinds: ["rare", Work]);
        }

        await Fixture.CorruptAsync(Corruption.EntryLost, ids[25], Cancellation);

        var query = new EntryQuery { States = states, Kind = "rare", MaxExamined = 10 };
        var found = new List<long>();
        do
        {
            var page = await Monitor.ListAsync(query, Cancellation);
            found.AddRange(page.Entries.Select(entry => entry.Id));
            query = query with { Before = page.NextBefore };
        }
        while (query.Before is not null);

        Assert.Equal([ids[0]], found);
    }

    // As the engine ends it.
    private static RunOutcome End(ClaimedEntry entry, long fence)
        => entry.Problem is null
            ? Outcome(entry.Id, fence, hasUniqueKey: entry.HasUniqueKey)
            : Outcome(entry.Id, fence, OutcomeKind.Failed, error: entry.Problem, reason: EndReasons.Unreadable, isTask: true);

    private static (long Id, bool HasProblem) Read(ClaimedEntry entry) => (entry.Id, entry.Problem is not null);
}
