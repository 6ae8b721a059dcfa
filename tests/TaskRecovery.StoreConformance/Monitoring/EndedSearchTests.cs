using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Lists and groups of entries that have ended. They are found by how their runs ended, so that entries that wait are not
/// examined.</summary>
public abstract class EndedSearchTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Theory]
    [InlineData(EntryState.Completed)]
    [InlineData(EntryState.Failed)]
    [InlineData(EntryState.Cancelled)]
    [InlineData(EntryState.Completed, EntryState.Failed)]
    [InlineData(EntryState.Failed, EntryState.Cancelled)]
    [InlineData(EntryState.Completed, EntryState.Failed, EntryState.Cancelled)]
    public async Task Entries_that_have_ended_are_found_however_many_wait(params EntryState[] states)
    {
        var ids = await GivenOneOfEachEndAsync();
        await GivenEntriesAsync(20);
        var query = new EntryQuery { States = states, MaxExamined = 5 };

        var page = await ListAsync(query);
        var groups = await Monitor.GroupAsync(query, EntryGrouping.State, Cancellation);
        var reasons = await Monitor.GroupAsync(query, EntryGrouping.Reason, Cancellation);

        Assert.Equal(states.Select(state => ids[state]).OrderDescending(), page.Entries.Select(static entry => entry.Id));
        Assert.Equal((true, null), (page.IsComplete, page.NextBefore));
        Assert.Equal(
            states.Select(static state => state.ToString()).Order(StringComparer.Ordinal),
            groups.Groups.Select(static group => group.Key).Order(StringComparer.Ordinal));
        Assert.All(groups.Groups, static group => Assert.Equal(new Count(1), group.Entries));
        Assert.Equal(states.Length, reasons.Groups.Count);
    }

    [Fact]
    public async Task A_reason_or_a_time_of_the_end_finds_entries_however_many_wait()
    {
        var ids = await GivenOneOfEachEndAsync();
        await GivenEntriesAsync(20);
        var hourAgo = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromHours(1);
        var near = new EntryQuery { MaxExamined = 5 };

        Assert.Equal([ids[EntryState.Failed]], await IdsAsync(near with { Reason = EndReasons.AttemptsExhausted }));
        Assert.Equal(
            [ids[EntryState.Failed]],
            await IdsAsync(near with { Reason = EndReasons.AttemptsExhausted, States = [EntryState.Waiting, EntryState.Failed] }));
        Assert.Equal(ids.Values.OrderDescending(), await IdsAsync(near with { EndedFrom = hourAgo }));
        Assert.Equal(
            [ids[EntryState.Completed]],
            await IdsAsync(near with { EndedFrom = hourAgo, States = [EntryState.Running, EntryState.Completed] }));
        Assert.Empty(await IdsAsync(near with { EndedTo = hourAgo }));
    }

    [Fact]
    public async Task What_has_not_ended_has_no_reason_and_no_time_of_its_end()
    {
        await GivenEntriesAsync(5);
        var query = new EntryQuery { States = [EntryState.Waiting, EntryState.Running], MaxExamined = 1 };
        var hourAgo = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromHours(1);

        var reason = await ListAsync(query with { Reason = EndReasons.AttemptsExhausted });
        var time = await ListAsync(query with { EndedFrom = hourAgo });
        var groups = await Monitor.GroupAsync(query with { EndedFrom = hourAgo }, EntryGrouping.Kind, Cancellation);

        Assert.Equal((0, true, null), (reason.Entries.Count, reason.IsComplete, reason.NextBefore));
        Assert.Equal((0, true, null), (time.Entries.Count, time.IsComplete, time.NextBefore));
        Assert.Equal((0, true), (groups.Groups.Count, groups.IsComplete));
    }

    [Fact]
    public async Task Conditions_on_what_was_stored_hold_for_entries_that_have_ended()
    {
        var node = GivenNode("first");
        var mine = await GivenClaimedAsync(node, Entry("mail.one", args: "\"needle\"") with { Metadata = """{"tenant":"7"}""" });
        await FinishAsync(mine);
        var other = await GivenClaimedAsync(node, Entry("other", args: "\"hay\"") with { Metadata = """{"tenant":"77"}""" });
        await FinishAsync(other);
        await GivenEntriesAsync(10, _ => Entry("mail.one", args: "\"needle\"") with { Metadata = """{"tenant":"7"}""" });
        var query = new EntryQuery { States = [EntryState.Completed], MaxExamined = 3 };

        Assert.Equal([mine.Id], await IdsAsync(query with { Kind = "mail.*" }));
        Assert.Equal([mine.Id], await IdsAsync(query with { Text = "needle" }));
        Assert.Equal([mine.Id], await IdsAsync(query with { Metadata = new("tenant", "7") }));
        Assert.Equal([other.Id], await IdsAsync(query with { Kind = "other", Node = "first" }));
        Assert.Equal([other.Id, mine.Id], await IdsAsync(query with { Node = "first" }));
        Assert.Empty(await IdsAsync(query with { Kind = "other", Text = "needle" }));
    }

    [Fact]
    public async Task A_list_can_be_of_what_runs_or_has_ended()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        var done = await GivenClaimedAsync(first);
        await FinishAsync(done);
        var again = await GivenClaimedAsync(first);
        await FinishAsync(again, OutcomeKind.Retried);
        var running = await ClaimOneAsync(second, again.Id);
        await GivenEntryAsync();
        var query = new EntryQuery { States = [EntryState.Running, EntryState.Completed] };

        var groups = await Monitor.GroupAsync(query, EntryGrouping.State, Cancellation);

        Assert.Equal([running.Id, done.Id], await IdsAsync(query));
        Assert.Equal([running.Id], await IdsAsync(query with { Node = "second" }));
        Assert.Equal([done.Id], await IdsAsync(query with { Before = running.Id }));
        Assert.Equal(
            [nameof(EntryState.Completed), nameof(EntryState.Running)],
            groups.Groups.Select(static group => group.Key).Order(StringComparer.Ordinal));
        Assert.All(groups.Groups, static group => Assert.Equal(new Count(1), group.Entries));
    }

    [Fact]
    public async Task Pages_of_entries_that_ran_several_times_follow_each_other_and_miss_nothing()
    {
        var node = GivenNode();
        var ids = new List<long>();
        for (var index = 0; index < 6; index++)
        {
            var run = await GivenClaimedAsync(node);
            await FinishAsync(run, OutcomeKind.Retried);
            await FinishAsync(await ClaimOneAsync(node, run.Id));
            ids.Add(run.Id);
        }

        // Three of twelve outcomes for each page: a page ends with the newer one of an entry's two.
        var query = new EntryQuery { States = [EntryState.Completed], MaxExamined = 3 };
        var (found, pages) = (new List<long>(), 1);
        for (var page = await ListAsync(query); ; page = await ListAsync(query with { Before = page.NextBefore }))
        {
            found.AddRange(page.Entries.Select(static entry => entry.Id));
            if (page.IsComplete)
            {
                break;
            }

            pages++;
        }

        Assert.Equal(ids.OrderDescending(), found);
        Assert.Equal(4, pages);
    }

    private async Task<EntrySummaryPage> ListAsync(EntryQuery query) => await Monitor.ListAsync(query, Cancellation);

    private async Task<IEnumerable<long>> IdsAsync(EntryQuery query)
        => (await ListAsync(query)).Entries.Select(static entry => entry.Id);

    private async Task<Dictionary<EntryState, long>> GivenOneOfEachEndAsync()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 3);
        await Store.CancelAsync(ids[2], Cancellation);
        await FinishAsync(
            node,
            Outcome(ids[0], fence),
            Outcome(ids[1], fence, OutcomeKind.Failed, reason: EndReasons.AttemptsExhausted),
            Outcome(ids[2], fence, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested));
        return new()
        {
            [EntryState.Completed] = ids[0],
            [EntryState.Failed] = ids[1],
            [EntryState.Cancelled] = ids[2],
        };
    }
}
