using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Monitoring;

/// <summary>Lists and groups of entries by every condition.</summary>
public abstract class EntrySearchTests(StoreFixture fixture) : JobStoreTests(fixture)
{
    [Fact]
    public async Task A_list_without_conditions_has_the_newest_first()
    {
        var ids = await GivenEntriesAsync(3);

        var page = await ListAsync(new EntryQuery());

        Assert.Equal(ids.Reverse(), page.Entries.Select(entry => entry.Id));
        Assert.Equal((true, null), (page.IsComplete, page.NextBefore));
        var entry = page.Entries[0];
        Assert.Equal(
            (Work, DefaultQueue, EntryState.Waiting, 5, 0, 10),
            (entry.Kind, entry.Queue, entry.State, entry.Priority, entry.Attempt, entry.MaxAttempts));
        Assert.NotNull(entry.RunAt);
    }

    [Fact]
    public async Task The_first_and_the_last_time_there_is_exclude_nothing()
    {
        var id = await GivenEntryAsync();

        var page = await ListAsync(new EntryQuery { CreatedFrom = DateTimeOffset.MinValue, CreatedTo = DateTimeOffset.MaxValue });

        Assert.Equal([id], page.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Pages_follow_each_other_and_miss_nothing()
    {
        var ids = await GivenEntriesAsync(25, index => Entry(index % 5 == 4 ? "other" : Work));
        var query = new EntryQuery { Kind = Work, Limit = 6 };
        var found = new List<long>();

        for (var page = await ListAsync(query); ; page = await ListAsync(query with { Before = page.NextBefore }))
        {
            found.AddRange(page.Entries.Select(entry => entry.Id));
            if (page.IsComplete)
            {
                break;
            }
        }

        Assert.Equal(ids.Where((_, index) => index % 5 != 4).Reverse(), found);
    }

    [Fact]
    public async Task A_search_examines_no_more_entries_than_it_may_and_says_how_far_it_looked()
    {
        var ids = await GivenEntriesAsync(30, index => Entry(index == 0 ? "rare" : Work));
        var query = new EntryQuery { Kind = "rare", MaxExamined = 10 };

        var first = await ListAsync(query);
        var second = await ListAsync(query with { Before = first.NextBefore });
        var third = await ListAsync(query with { Before = second.NextBefore });

        Assert.Equal((0, ids[20], false), (first.Entries.Count, first.NextBefore!.Value, first.IsComplete));
        Assert.Equal((await FindAsync(ids[20])).CreatedAt, first.SearchedBackTo);
        Assert.Equal((0, ids[10], false), (second.Entries.Count, second.NextBefore!.Value, second.IsComplete));
        Assert.Equal([ids[0]], third.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task Entries_that_have_not_ended_are_found_however_old_they_are()
    {
        var node = GivenNode();
        var waiting = await GivenEntryAsync(Entry(after: TimeSpan.FromHours(1)));
        var running = await GivenClaimedAsync(node);
        var (fence, ended) = await GivenBatchAsync(node, 20);
        await FinishAsync(node, [.. ended.Select(id => Outcome(id, fence))]);
        await Store.RemoveSettledClaimsAsync(node.Id, [fence], Cancellation);
        var query = new EntryQuery { States = [EntryState.Waiting, EntryState.Running], MaxExamined = 5 };

        var page = await ListAsync(query);
        var groups = await Monitor.GroupAsync(query, EntryGrouping.State, Cancellation);

        Assert.Equal([running.Id, waiting], page.Entries.Select(entry => entry.Id));
        Assert.True(page.IsComplete);
        Assert.Equal(
            [(nameof(EntryState.Running), new Count(1)), (nameof(EntryState.Waiting), new Count(1))],
            groups.Groups.OrderBy(group => group.Key).Select(group => (group.Key, group.Entries)));
        Assert.True(groups.IsComplete);
    }

    [Theory]
    [InlineData(EntryState.Waiting)]
    [InlineData(EntryState.Running)]
    [InlineData(EntryState.Waiting, EntryState.Running)]
    public async Task A_search_for_what_has_not_ended_says_how_far_it_looked(params EntryState[] states)
    {
        var node = GivenNode();
        var ids = await GivenEntriesAsync(30, index => Entry(index == 0 ? "rare" : Work));
        if (!states.Contains(EntryState.Waiting))
        {
            await ClaimAsync(node, kinds: ["rare", Work]);
        }

        var query = new EntryQuery { States = states, Kind = "rare", MaxExamined = 10 };
        var first = await ListAsync(query);
        var second = await ListAsync(query with { Before = first.NextBefore });
        var third = await ListAsync(query with { Before = second.NextBefore });

        Assert.Equal((0, ids[20], false), (first.Entries.Count, first.NextBefore!.Value, first.IsComplete));
        Assert.Equal((0, ids[10], false), (second.Entries.Count, second.NextBefore!.Value, second.IsComplete));
        Assert.Equal([ids[0]], third.Entries.Select(entry => entry.Id));
    }

    [Theory]
    [InlineData(EntryState.Waiting)]
    [InlineData(EntryState.Running)]
    [InlineData(EntryState.Completed)]
    [InlineData(EntryState.Failed)]
    [InlineData(EntryState.Cancelled)]
    public async Task A_list_can_be_of_one_state_or_of_all_others(EntryState state)
    {
        var ids = await GivenOneOfEachAsync();

        var only = await ListAsync(new EntryQuery { States = [state] });
        var others = await ListAsync(new EntryQuery { States = [.. Enum.GetValues<EntryState>().Where(other => other != state)] });

        Assert.Equal([ids[state]], only.Entries.Select(entry => entry.Id));
        Assert.All(only.Entries, entry => Assert.Equal(state, entry.State));
        Assert.Equal(ids.Where(id => id.Key != state).Select(id => id.Value).OrderDescending(), others.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_list_can_be_of_a_queue_a_kind_or_the_beginning_of_a_kind()
    {
        var ids = await GivenEntriesAsync(6, index => Entry($"mail.{index % 3}", index < 3 ? "one" : "two"));
        await GivenEntryAsync(Entry("mailbox"));

        Assert.Equal([ids[5], ids[4], ids[3]], await IdsAsync(new EntryQuery { Queue = "two" }));
        Assert.Equal([ids[4], ids[1]], await IdsAsync(new EntryQuery { Kind = "mail.1" }));
        Assert.Equal(ids.Reverse(), await IdsAsync(new EntryQuery { Kind = "mail.*" }));
        Assert.Empty(await IdsAsync(new EntryQuery { Kind = "MAIL.*" }));
        Assert.Empty(await IdsAsync(new EntryQuery { Queue = "nowhere" }));
    }

    [Fact]
    public async Task A_list_can_be_of_a_reason()
    {
        var ids = await GivenOneOfEachAsync();

        Assert.Equal([ids[EntryState.Failed]], await IdsAsync(new EntryQuery { Reason = EndReasons.AttemptsExhausted }));
        Assert.Empty(await IdsAsync(new EntryQuery { Reason = EndReasons.AttemptsExhausted, States = [EntryState.Completed] }));
    }

    [Fact]
    public async Task A_list_can_be_of_what_a_node_runs_or_ran_last()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        var done = await GivenClaimedAsync(first);
        await FinishAsync(done);
        var passed = await GivenClaimedAsync(first);
        await FinishAsync(passed, OutcomeKind.Retried);
        var running = await ClaimOneAsync(second, passed.Id);

        Assert.Equal([done.Id], await IdsAsync(new EntryQuery { Node = "first", States = [EntryState.Completed] }));
        Assert.Equal([running.Id], await IdsAsync(new EntryQuery { Node = "second" }));
        Assert.Equal([running.Id], await IdsAsync(new EntryQuery { Node = second.Id.ToString() }));
        Assert.Empty(await IdsAsync(new EntryQuery { Node = "nobody" }));
    }

    [Fact]
    public async Task An_entry_that_runs_is_not_of_the_node_that_ran_it_before()
    {
        var (first, second) = (GivenNode("first"), GivenNode("second"));
        var passed = await GivenClaimedAsync(first);
        await FinishAsync(passed, OutcomeKind.Retried);
        var ofFirst = new EntryQuery { Node = "first" };
        var whileItWaits = await IdsAsync(ofFirst);

        await ClaimOneAsync(second, passed.Id);

        Assert.Equal([passed.Id], whileItWaits);
        Assert.Empty(await IdsAsync(ofFirst));
        Assert.Empty(await IdsAsync(ofFirst with { States = [EntryState.Running] }));
        Assert.Empty(await IdsAsync(ofFirst with { States = [EntryState.Waiting, EntryState.Running] }));
        Assert.Empty(await IdsAsync(ofFirst with { States = [EntryState.Running, EntryState.Completed] }));
        Assert.Empty((await Monitor.GroupAsync(ofFirst, EntryGrouping.Kind, Cancellation)).Groups);
        Assert.Equal([passed.Id], await IdsAsync(new EntryQuery { Node = "second", States = [EntryState.Running] }));
    }

    [Fact]
    public async Task A_list_can_be_of_a_jobs_runs_past_and_planned()
    {
        var node = GivenNode();
        var job = await GivenJobAsync();
        await GivenJobAsync(name: "another");
        var planned = await WaitingRunsAsync();
        var runs = await Task.WhenAll(planned.Select(entry => FindAsync(entry.Id)));
        var mine = runs.Single(entry => entry.Args.Contains(job.Id.ToString(), StringComparison.Ordinal));
        await GivenEntryAsync(Entry(args: $"\"{job.Id}\""));

        Assert.Equal([mine.Id], await IdsAsync(new EntryQuery { JobId = job.Id }));
        Assert.Empty(await IdsAsync(new EntryQuery { JobId = Guid.NewGuid() }));
        node.Close();
    }

    [Fact]
    public async Task A_list_can_be_of_a_unique_key_and_finds_its_holder_at_once()
    {
        var node = GivenNode();
        var ended = await GivenClaimedAsync(node, Entry(key: "k"));
        await FinishAsync(ended, hasUniqueKey: true);
        var holder = await GivenEntryAsync(Entry(key: "k"));
        var newer = await GivenEntriesAsync(5);

        var near = await ListAsync(new EntryQuery { UniqueKey = "k", MaxExamined = 3 });
        var further = await ListAsync(new EntryQuery { UniqueKey = "k", Before = near.NextBefore });

        Assert.Equal([holder], near.Entries.Select(entry => entry.Id));
        Assert.Equal(newer[2], near.NextBefore);
        Assert.Equal([ended.Id], further.Entries.Select(entry => entry.Id));
        Assert.Empty(await IdsAsync(new EntryQuery { UniqueKey = "other" }));
    }

    [Fact]
    public async Task A_list_can_be_of_the_time_of_storing_and_of_the_end()
    {
        var node = GivenNode();
        var old = await GivenClaimedAsync(node);
        await FinishAsync(old);
        await ShiftTimeAsync(TimeSpan.FromHours(3));
        var young = await GivenClaimedAsync(node);
        await FinishAsync(young);
        var hourAgo = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromHours(1);

        Assert.Equal([young.Id], await IdsAsync(new EntryQuery { CreatedFrom = hourAgo }));
        Assert.Equal([old.Id], await IdsAsync(new EntryQuery { CreatedTo = hourAgo }));
        Assert.Equal([young.Id], await IdsAsync(new EntryQuery { EndedFrom = hourAgo }));
        Assert.Equal([old.Id], await IdsAsync(new EntryQuery { EndedTo = hourAgo }));
        Assert.Empty(await IdsAsync(new EntryQuery { EndedFrom = hourAgo, EndedTo = hourAgo + TimeSpan.FromMinutes(1) }));
    }

    [Fact]
    public async Task A_search_for_recent_entries_is_complete_when_it_has_reached_older_ones()
    {
        await GivenEntriesAsync(5);
        await ShiftTimeAsync(TimeSpan.FromHours(3));
        await GivenEntriesAsync(5);
        var hourAgo = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromHours(1);

        var page = await ListAsync(new EntryQuery { CreatedFrom = hourAgo, MaxExamined = 6 });

        Assert.Equal((5, true), (page.Entries.Count, page.IsComplete));
    }

    [Fact]
    public async Task A_search_for_old_entries_begins_where_they_are()
    {
        var node = GivenNode();
        var (fence, old) = await GivenBatchAsync(node, 5);
        await FinishAsync(node, [.. old.Select(id => Outcome(id, fence))]);
        await ShiftTimeAsync(TimeSpan.FromHours(3));
        await GivenEntriesAsync(20);
        var hourAgo = await Fixture.GetTimeAsync(Cancellation) - TimeSpan.FromHours(1);

        var stored = await ListAsync(new EntryQuery { CreatedTo = hourAgo, MaxExamined = 3 });
        var ended = await ListAsync(new EntryQuery { EndedTo = hourAgo, MaxExamined = 3 });
        var rest = await ListAsync(new EntryQuery { CreatedTo = hourAgo, MaxExamined = 3, Before = stored.NextBefore });
        var older = await ListAsync(new EntryQuery { CreatedTo = hourAgo.AddHours(-6), MaxExamined = 3 });

        Assert.Equal([old[4], old[3], old[2]], stored.Entries.Select(entry => entry.Id));
        Assert.Equal([old[4], old[3], old[2]], ended.Entries.Select(entry => entry.Id));
        Assert.Equal([old[1], old[0]], rest.Entries.Select(entry => entry.Id));
        Assert.Equal((0, true), (older.Entries.Count, older.IsComplete));
    }

    [Fact]
    public async Task A_search_for_a_node_that_is_not_known_ends_at_once()
    {
        await GivenEntriesAsync(5);

        var page = await ListAsync(new EntryQuery { Node = "nobody", MaxExamined = 1 });
        var groups = await Monitor.GroupAsync(new EntryQuery { Node = "nobody", MaxExamined = 1 }, EntryGrouping.Kind, Cancellation);

        Assert.Equal((0, true, null), (page.Entries.Count, page.IsComplete, page.NextBefore));
        Assert.Equal((0, true), (groups.Groups.Count, groups.IsComplete));
    }

    [Fact]
    public async Task A_list_can_be_of_metadata_and_of_text_in_arguments()
    {
        var tenant = await GivenEntryAsync(Entry() with { Metadata = """{"tenant":"7","note":"Z\u00FCrich"}""" });
        var other = await GivenEntryAsync(
            Entry(args: """{"city":"Z\u00FCrich","ratio":"50%"}""") with { Metadata = """{"tenant":"77"}""" });

        Assert.Equal([tenant], await IdsAsync(new EntryQuery { Metadata = new("tenant", "7") }));
        Assert.Equal([tenant], await IdsAsync(new EntryQuery { Metadata = new("note", "Zürich") }));
        Assert.Empty(await IdsAsync(new EntryQuery { Metadata = new("7", "tenant") }));
        Assert.Equal([other], await IdsAsync(new EntryQuery { Text = "Zürich" }));
        Assert.Equal([other], await IdsAsync(new EntryQuery { Text = "0%" }));
        Assert.Empty(await IdsAsync(new EntryQuery { Text = "5%0" }));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_search_for_metadata_examines_no_more_entries_than_it_may_and_says_how_far_it_looked(bool isScope)
    {
        var ids = await GivenEntriesAsync(30, index => Entry() with { Metadata = $$"""{"tenant":"{{index}}"}""" });
        var first = new KeyValuePair<string, string>("tenant", "0");
        var query = isScope
            ? new EntryQuery { Scope = new EntryScope { Metadata = first }, MaxExamined = 10 }
            : new EntryQuery { Metadata = first, MaxExamined = 10 };

        var near = await ListAsync(query);
        var groups = await Monitor.GroupAsync(query, EntryGrouping.Kind, Cancellation);
        var last = await ListAsync(query with { Before = ids[10] });

        Assert.Equal((0, ids[20], false), (near.Entries.Count, near.NextBefore!.Value, near.IsComplete));
        Assert.Equal((0, false), (groups.Groups.Count, groups.IsComplete));
        Assert.Equal((await FindAsync(ids[20])).CreatedAt, near.SearchedBackTo);
        Assert.Equal(near.SearchedBackTo, groups.SearchedBackTo);
        Assert.Equal([ids[0]], last.Entries.Select(entry => entry.Id));
    }

    [Fact]
    public async Task A_scope_restricts_every_query()
    {
        var ids = await GivenEntriesAsync(
            4, index => Entry($"kind-{index % 2}", $"queue-{index / 2}") with { Metadata = $$"""{"tenant":"{{index}}"}""" });

        Assert.Equal([ids[1], ids[0]], await IdsAsync(new EntryQuery { Scope = new EntryScope { Queues = ["queue-0"] } }));
        Assert.Equal([ids[1]], await IdsAsync(
            new EntryQuery { Queue = "queue-0", Scope = new EntryScope { Queues = ["queue-0"], Kinds = ["kind-1"] } }));
        Assert.Empty(await IdsAsync(new EntryQuery { Queue = "queue-1", Scope = new EntryScope { Queues = ["queue-0"] } }));
        Assert.Empty(await IdsAsync(new EntryQuery { Scope = new EntryScope { Queues = [] } }));
        Assert.Equal([ids[2]], await IdsAsync(
            new EntryQuery { Kind = "kind-*", Scope = new EntryScope { Metadata = new("tenant", "2"), Kinds = ["kind-0"] } }));
    }

    [Fact]
    public async Task Entries_are_found_by_the_trace_in_which_they_were_stored()
    {
        var ids = await GivenEntriesAsync(3, index
            => Entry() with { TraceParent = index == 2 ? null : $"00-{index}af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });

        Assert.Equal([ids[1]], await IdsAsync(new EntryQuery { TraceId = "1af7651916cd43dd8448eb211c80319c" }));
        Assert.Equal([ids[0]], await IdsAsync(new EntryQuery { TraceId = "0AF7651916CD43DD8448EB211C80319C" }));
        Assert.Empty(await IdsAsync(new EntryQuery { TraceId = "b7ad6b7169203331b7ad6b7169203331" }));
    }

    [Fact]
    public async Task Entries_are_counted_by_kind_queue_state_and_reason()
    {
        await GivenOneOfEachAsync();
        await GivenEntriesAsync(2, _ => Entry("mail", "second"));

        var kinds = await Monitor.GroupAsync(new EntryQuery(), EntryGrouping.Kind, Cancellation);
        var queues = await Monitor.GroupAsync(new EntryQuery { States = [EntryState.Waiting] }, EntryGrouping.Queue, Cancellation);
        var states = await Monitor.GroupAsync(new EntryQuery { Kind = "mail" }, EntryGrouping.State, Cancellation);
        var reasons = await Monitor.GroupAsync(
            new EntryQuery { States = [EntryState.Failed, EntryState.Cancelled] }, EntryGrouping.Reason, Cancellation);
        var near = await Monitor.GroupAsync(new EntryQuery { MaxExamined = 2 }, EntryGrouping.Kind, Cancellation);

        Assert.Equal([(Work, new Count(5)), ("mail", new Count(2))], kinds.Groups.Select(group => (group.Key, group.Entries)));
        Assert.True(kinds.IsComplete);
        Assert.Equal([("second", 2L), (DefaultQueue, 1L)], queues.Groups.Select(group => (group.Key, group.Entries.Value)));
        Assert.Equal([(nameof(EntryState.Waiting), 2L)], states.Groups.Select(group => (group.Key, group.Entries.Value)));
        Assert.Equal([EndReasons.AttemptsExhausted, EndReasons.CancelRequested], reasons.Groups.Select(group => group.Key).Order());
        Assert.Equal([("mail", new Count(2, CountPrecision.AtLeast))], near.Groups.Select(group => (group.Key, group.Entries)));
        Assert.False(near.IsComplete);
    }

    private async Task<EntrySummaryPage> ListAsync(EntryQuery query) => await Monitor.ListAsync(query, Cancellation);

    private async Task<IEnumerable<long>> IdsAsync(EntryQuery query) => (await ListAsync(query)).Entries.Select(entry => entry.Id);

    private async Task<Dictionary<EntryState, long>> GivenOneOfEachAsync()
    {
        var node = GivenNode();
        var (fence, ids) = await GivenBatchAsync(node, 4);
        await Store.CancelAsync(ids[2], Cancellation);
        await FinishAsync(
            node,
            Outcome(ids[0], fence),
            Outcome(ids[1], fence, OutcomeKind.Failed, reason: EndReasons.AttemptsExhausted),
            Outcome(ids[2], fence, OutcomeKind.Cancelled, reason: EndReasons.CancelRequested));
        var waiting = await GivenEntryAsync();
        return new()
        {
            [EntryState.Completed] = ids[0],
            [EntryState.Failed] = ids[1],
            [EntryState.Cancelled] = ids[2],
            [EntryState.Running] = ids[3],
            [EntryState.Waiting] = waiting,
        };
    }
}
