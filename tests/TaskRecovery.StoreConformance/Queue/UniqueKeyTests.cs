using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Queue;

/// <summary>Tests unique keys: one entry of a kind holds a key until it ends.</summary>
public abstract class UniqueKeyTests(StoreFixture fixture) : StoreTests(fixture)
{
    [Fact]
    public async Task A_second_entry_with_the_key_is_not_stored()
    {
        var first = await GivenEntryAsync(Entry(key: "key"));

        var second = await EnqueueAsync(Entry(key: "key"));

        Assert.Equal(new EnqueueResult(first, true), second);
        Assert.Equal(1, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Fact]
    public async Task Entries_of_several_callers_are_stored_like_those_of_one()
    {
        var first = await GivenEntryAsync(Entry(key: "b"));

        var results = await Store.TryEnqueueAsync(
            [Entry(key: "a"), Entry(key: "b"), Entry(key: "a")], TimeSpan.FromMinutes(1), isBlocked: false, Cancellation);

        Assert.NotNull(results);
        Assert.Equal([false, true, true], results.Select(static result => result.IsDuplicate));
        Assert.Equal([results[0].Id, first, results[0].Id], results.Select(static result => result.Id));
        Assert.Equal(2, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Fact]
    public async Task Another_kind_may_hold_the_same_key()
    {
        await GivenEntryAsync(Entry("a", key: "key"));

        Assert.False((await EnqueueAsync(Entry("b", key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task A_key_used_twice_in_one_call_stores_one_entry()
    {
        var results = await Store.EnqueueAsync([Entry(key: "a"), Entry(), Entry(key: "a"), Entry(key: "b")], null, Cancellation);

        Assert.Equal([false, false, true, false], results.Select(result => result.IsDuplicate));
        Assert.Equal(results[0].Id, results[2].Id);
        Assert.Equal(3, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Fact]
    public async Task Of_many_at_once_one_is_stored_and_all_are_told_its_id()
    {
        var results = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => Task.Run(() => EnqueueAsync(Entry(key: "key")), Cancellation)));

        Assert.Single(results, result => !result.IsDuplicate);
        Assert.Single(results.Select(result => result.Id).Distinct());
        Assert.Equal(1, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Fact]
    public async Task Many_calls_with_the_same_keys_in_another_order_all_come_through()
    {
        var keys = Enumerable.Range(0, 50).Select(index => $"key-{index}").ToArray();

        var results = await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(
            async () => await Store.EnqueueAsync(
                [.. (caller % 2 == 0 ? keys : keys.Reverse()).Select(key => Entry(key: key))], null, Cancellation),
            Cancellation)));

        Assert.Equal(50, results.Sum(result => result.Count(one => !one.IsDuplicate)));
        Assert.Equal(50, (await Store.CountAsync(null, Cancellation)).Due.Value);
    }

    [Fact]
    public async Task A_key_is_held_while_its_entry_waits_runs_and_waits_again()
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(key: "key"));

        var running = await EnqueueAsync(Entry(key: "key"));
        await FinishAsync(held, OutcomeKind.Retried, error: "boom", hasUniqueKey: true);
        var retried = await EnqueueAsync(Entry(key: "key"));

        Assert.Equal(new EnqueueResult(held.Id, true), running);
        Assert.Equal(new EnqueueResult(held.Id, true), retried);
    }

    [Theory]
    [InlineData(OutcomeKind.Completed)]
    [InlineData(OutcomeKind.Failed)]
    [InlineData(OutcomeKind.Cancelled)]
    [InlineData(OutcomeKind.Superseded)]
    public async Task A_key_is_free_when_its_entry_ends(OutcomeKind kind)
    {
        var node = GivenNode();
        var held = await GivenClaimedAsync(node, Entry(key: "key"));

        await FinishAsync(held, kind, hasUniqueKey: true);

        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task A_key_is_free_when_its_waiting_entry_is_cancelled()
    {
        var id = await GivenEntryAsync(Entry(key: "key"));

        await Store.CancelAsync(id, Cancellation);

        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task A_key_is_free_when_its_entry_ends_as_a_crash_loop()
    {
        var id = await GivenEntryAsync(Entry(key: "key"));

        await CrashAsync(id, 2, maxCrashes: 1);

        Assert.Equal(EntryState.Failed, await StateAsync(id));
        Assert.False((await EnqueueAsync(Entry(key: "key"))).IsDuplicate);
    }

    [Fact]
    public async Task A_key_is_held_by_an_entry_whose_node_died()
    {
        var id = await GivenEntryAsync(Entry(key: "key"));

        await CrashAsync(id, 1);

        Assert.Equal(new EnqueueResult(id, true), await EnqueueAsync(Entry(key: "key")));
    }
}
