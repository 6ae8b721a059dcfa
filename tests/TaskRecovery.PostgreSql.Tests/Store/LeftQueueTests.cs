using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>What a poll finds in a queue whose new entries the node leaves to another one.</summary>
public sealed class LeftQueueTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task An_entry_that_has_just_become_due_is_left_and_by_the_next_poll_it_is_not()
    {
        var store = await OpenStoreAsync();
        await AssertIsLeftWhileNewAsync();

        Assert.Equal(["default"], (await PollAsync(store, leaves: false)).DueQueues);
        await ExecuteAsync("update taskrecovery.waiting set run_at = run_at - interval '1 second'");
        Assert.Equal(["default"], (await PollAsync(store)).DueQueues);

        // On a slow machine, the entry may no longer be new when the second poll reads it.
        async Task AssertIsLeftWhileNewAsync()
        {
            while (true)
            {
                await store.EnqueueAsync([Entry()], null, Cancellation);
                var (whole, recent) = (await PollAsync(store), await PollAsync(store, onlyRecent: true));
                if (await ScalarAsync<bool>(
                    "select clock_timestamp() - max(run_at) < interval '50 milliseconds' from taskrecovery.waiting"))
                {
                    Assert.Empty(whole.DueQueues);
                    Assert.Empty(recent.DueQueues);
                    return;
                }

                await ExecuteAsync("delete from taskrecovery.waiting");
            }
        }
    }

    [Fact]
    public async Task What_became_due_longer_ago_is_found_by_a_poll_of_the_whole_queue()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set run_at = run_at - interval '1 minute'");

        Assert.Empty((await PollAsync(store, onlyRecent: true)).DueQueues);
        Assert.Equal(["default"], (await PollAsync(store)).DueQueues);
    }

    [Fact]
    public async Task A_poll_for_recent_entries_finds_the_old_ones_of_a_kind_that_was_resumed_since_the_last_poll()
    {
        var (store, audit) = (await OpenStoreAsync(), new AuditInfo("anna"));
        await store.EnqueueAsync([Entry()], null, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set run_at = run_at - interval '1 minute'");
        await store.SetPausedAsync(PauseTarget.Kind("test"), new PauseInfo(), audit, Cancellation);

        var paused = await PollAsync(store, onlyRecent: true);
        await store.SetPausedAsync(PauseTarget.Kind("test"), null, audit, Cancellation);
        var resumed = await PollAsync(store, onlyRecent: true);
        var next = await PollAsync(store, onlyRecent: true);

        Assert.Empty(paused.DueQueues);
        Assert.Equal(["default"], resumed.DueQueues);
        Assert.Empty(next.DueQueues);
    }

    [Fact]
    public async Task The_next_due_time_is_that_of_the_queues_that_are_not_left()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync(
            [Entry(after: TimeSpan.FromHours(1)), Entry("mail", after: TimeSpan.FromHours(2))], null, Cancellation);
        var request = new PollRequest(Guid.NewGuid(), ["default", "mail"], ["test"], WithUnknownKinds: false) { Claims = [] };

        var none = await store.PollAsync(request, Cancellation);
        var one = await store.PollAsync(request with { LeftQueues = ["default"] }, Cancellation);
        var both = await store.PollAsync(request with { LeftQueues = ["default", "mail"] }, Cancellation);

        Assert.InRange(none.NextDue!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromMinutes(60));
        Assert.InRange(one.NextDue!.Value, TimeSpan.FromMinutes(110), TimeSpan.FromMinutes(120));
        Assert.Null(both.NextDue);
    }

    [Fact]
    public async Task A_poll_for_recent_entries_finds_them_at_every_level()
    {
        var store = await OpenStoreAsync();
        await store.EnqueueAsync([Entry()], null, Cancellation);

        for (var level = CrashLevels.Lowest; level <= CrashLevels.Highest; level++)
        {
            // On a slow machine, a time that is set once may no longer be recent when the last level is polled.
            await ExecuteAsync(
                $"update taskrecovery.waiting set priority = {level}, run_at = clock_timestamp() - interval '100 milliseconds'");
            var due = (await PollAsync(store, onlyRecent: true)).DueQueues;

            Assert.True(due.Count == 1 || await IsOldAsync(), $"Nothing was found at level {level}.");
        }

        Task<bool> IsOldAsync()
            => ScalarAsync<bool>("select clock_timestamp() - run_at > interval '3 seconds' from taskrecovery.waiting");
    }

    [Fact]
    public async Task A_poll_for_recent_entries_names_neither_unknown_kinds_nor_paused_queues_and_returns_cancel_requests()
    {
        var store = await OpenStoreAsync();
        using var session = store.OpenNodeSession();
        var node = Identity();
        session.Register(node);
        var claimer = store.CreateClaimer(node.Id, "default", ["test"]);
        var id = (await store.EnqueueAsync([Entry()], null, Cancellation))[0].Id;
        var batch = await claimer.ClaimAsync(1, default, Cancellation);
        await store.CancelAsync(id, Cancellation);
        await store.EnqueueAsync([Entry() with { Kind = "strange" }, Entry(queue: "paused")], null, Cancellation);
        await store.SetPausedAsync("paused", paused: true, Cancellation);
        await ExecuteAsync("update taskrecovery.waiting set run_at = clock_timestamp() - interval '1 second'");

        var poll = await store.PollAsync(
            new PollRequest(node.Id, ["default", "paused"], ["test"], WithUnknownKinds: false)
            {
                Claims = [batch.Fence],
                LeftQueues = ["default", "paused"],
                OnlyRecent = true,
            },
            Cancellation);

        Assert.Empty(poll.DueQueues);
        Assert.Equal([id], poll.CancelRequests);
    }

    private static ValueTask<PollResult> PollAsync(PostgreSqlQueueStore store, bool leaves = true, bool onlyRecent = false)
        => store.PollAsync(
            new PollRequest(Guid.NewGuid(), ["default"], ["test"], WithUnknownKinds: false)
            {
                Claims = [],
                LeftQueues = leaves ? ["default"] : [],
                OnlyRecent = onlyRecent,
            },
            Cancellation);
}
