using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests outcomes that arrive when their run has one already: a repetition is accepted, and any other is refused (see
/// <see cref="OutcomeRules"/>).</summary>
public abstract class RepetitionTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Theory]
    [InlineData(OutcomeKind.Completed)]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Cancelled)]
    [InlineData(OutcomeKind.Superseded)]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task Only_the_same_outcome_of_the_same_node_is_a_repetition(OutcomeKind kind)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await FinishAsync(held, kind, error: "boom");

        foreach (var sent in Enum.GetValues<OutcomeKind>().Except([OutcomeKind.Lost]))
        {
            var refused = await TryFinishAsync(held.Node, held.Outcome(sent, error: "boom"));
            Assert.Equal(OutcomeRules.IsRepetition(sent, kind, null), refused.Count == 0);
        }

        Assert.Single(await TryFinishAsync(GivenNode(), held.Outcome(kind, error: "boom")));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Snoozed)]
    [InlineData(OutcomeKind.Released)]
    public async Task Outcome_that_became_a_cancel_is_accepted_again(OutcomeKind kind)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await Store.CancelAsync(held.Id, Cancellation);
        await FinishAsync(held, kind);

        await FinishAsync(held, kind);

        Assert.Equal(
            (EntryState.Cancelled, EndReasons.CancelRequested), ((await FindAsync(held.Id)).State, (await FindAsync(held.Id)).Reason));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried, true)]
    [InlineData(OutcomeKind.Cancelled, true)]
    [InlineData(OutcomeKind.Completed, false)]
    [InlineData(OutcomeKind.Failed, false)]
    public async Task Run_that_a_release_or_a_sweep_has_cancelled_meanwhile_is_a_repetition_if_it_would_have_ended_so(
        OutcomeKind kind, bool isRepetition)
    {
        var released = await GivenClaimedAsync(GivenNode());
        await Store.CancelAsync(released.Id, Cancellation);
        await Store.ReleaseClaimsAsync(released.Node.Id, [released.Fence], Cancellation);
        var swept = await GivenClaimedAsync(GivenNode());
        await Store.CancelAsync(swept.Id, Cancellation);
        await DieAndSweepAsync(swept.Node);

        foreach (var held in new[] { released, swept })
        {
            Assert.Equal(isRepetition, (await TryFinishAsync(held.Node, held.Outcome(kind, error: "boom"))).Count == 0);
            Assert.Equal(EntryState.Cancelled, await StateAsync(held.Id));
        }
    }

    [Fact]
    public async Task Entry_that_a_sweep_has_failed_as_a_crash_loop_was_not_failed_by_its_handler()
    {
        var id = await GivenEntryAsync();
        await CrashAsync(id, MaxCrashes);
        var node = GivenNode();
        var held = await ClaimOneAsync(node, id);
        await DieAndSweepAsync(node);

        Assert.Single(await TryFinishAsync(node, held.Outcome(OutcomeKind.Failed, error: "boom")));

        Assert.Equal((EntryState.Failed, EndReasons.CrashLoop), ((await FindAsync(id)).State, (await FindAsync(id)).Reason));
    }

    [Theory]
    [InlineData(OutcomeKind.Retried)]
    [InlineData(OutcomeKind.Released)]
    [InlineData(OutcomeKind.Completed)]
    public async Task Entry_that_a_sweep_has_put_back_is_lost_to_its_node(OutcomeKind kind)
    {
        var held = await GivenClaimedAsync(GivenNode());
        await DieAndSweepAsync(held.Node);

        Assert.Single(await TryFinishAsync(held.Node, held.Outcome(kind)));

        Assert.Equal((EntryState.Waiting, 1), ((await FindAsync(held.Id)).State, (await FindAsync(held.Id)).Crashes));
    }
}
