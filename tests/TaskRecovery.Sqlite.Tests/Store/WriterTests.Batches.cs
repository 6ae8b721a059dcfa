using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <content>Large batches.</content>
public sealed partial class WriterTests
{
    [Fact]
    public async Task Ordinary_writes_get_their_turn_between_large_batches()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        var batch = Enumerable.Range(0, 3000).Select(static _ => TemporaryDatabase.Entry()).ToArray();
        Task<EnqueueResult[]>[] batches;
        Task<EnqueueResult[]> one;
        using (await HoldWriteLockAsync())
        {
            batches = [.. Enumerable.Range(0, 8).Select(_ => store.EnqueueAsync(batch, null, CancellationToken.None).AsTask())];
            one = store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask();
        }

        var id = (await one)[0].Id;
        var all = await Task.WhenAll(batches);

        // After one batch at most, and nobody's batch was divided.
        Assert.InRange(all.Count(results => results[0].Id < id), 0, 1);
        Assert.All(all, static results => Assert.Equal(results[0].Id + 2999, results[^1].Id));
    }

    [Fact]
    public async Task All_ordinary_writes_that_arrived_during_a_large_batch_are_stored_before_the_next_one()
    {
        var store = await _files.OpenStoreAsync();
        var batch = Enumerable.Range(0, 3000).Select(static _ => TemporaryDatabase.Entry()).ToArray();
        Task<EnqueueResult[]>[] batches, ordinary;
        using (await HoldWriteLockAsync())
        {
            batches = [.. Enumerable.Range(0, 8).Select(_ => store.EnqueueAsync(batch, null, CancellationToken.None).AsTask())];

            // More than one group.
            ordinary = [.. Enumerable.Range(0, 600).Select(
                _ => store.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None).AsTask())];
        }

        var last = (await Task.WhenAll(ordinary)).Max(static results => results[0].Id);
        var all = await Task.WhenAll(batches);

        Assert.InRange(all.Count(results => results[0].Id < last), 0, 1);
    }

    [Fact]
    public async Task A_large_batch_that_is_stored_as_claimed_is_a_large_batch_too()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var session = TemporaryDatabase.Join(store, "node", out var node);
        var claimer = store.CreateClaimer(node, "default", ["work"]);
        NewEntry[] large = [.. Enumerable.Repeat(TemporaryDatabase.Entry($"\"{new string('x', 1024 * 1024)}\""), 65)];
        var batch = Enumerable.Range(0, 3000).Select(static _ => TemporaryDatabase.Entry()).ToArray();
        Task<ClaimedEnqueue?>[] batches;
        Task<EnqueueResult[]> one;
        using (await HoldWriteLockAsync())
        {
            batches = [.. Enumerable.Range(0, 4).Select(_ => claimer.EnqueueAsync(batch, CancellationToken.None).AsTask())];
            one = store.EnqueueAsync([TemporaryDatabase.Entry(queue: "other")], null, CancellationToken.None).AsTask();
        }

        var id = (await one)[0].Id;
        var all = await Task.WhenAll(batches);

        Assert.InRange(all.Count(stored => stored!.Results[0].Id < id), 0, 1);
        await Assert.ThrowsAsync<ArgumentException>(async () => await claimer.EnqueueAsync(large, CancellationToken.None));
    }

    [Fact]
    public async Task Another_process_gets_its_turn_between_large_batches()
    {
        var (store, other) = (await _files.OpenStoreAsync(), await _files.OpenStoreAsync());
        var batch = Enumerable.Range(0, 20_000).Select(static _ => TemporaryDatabase.Entry()).ToArray();
        var batches = new Queue<Task<EnqueueResult[]>>();
        var writes = Task.Run(async () =>
        {
            for (var write = 0; write < 10; write++)
            {
                await other.EnqueueAsync([TemporaryDatabase.Entry()], null, CancellationToken.None);
            }
        });

        // The pause after each batch lets the other process in: ten writes take about ten batches, and some more if it is held up. Without
        // the pauses, each of its attempts would have to meet a gap by chance.
        var stored = 0;
        for (; !writes.IsCompleted && stored < 300; stored++)
        {
            while (batches.Count < 3)
            {
                batches.Enqueue(store.EnqueueAsync(batch, null, CancellationToken.None).AsTask());
            }

            await batches.Dequeue();
        }

        Assert.True(writes.IsCompleted, $"{stored} batches were stored before the tenth write.");
        await writes;
        await Task.WhenAll(batches);
    }

    [Fact]
    public async Task Outcomes_with_long_errors_are_stored_in_several_transactions()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var session = TemporaryDatabase.Join(store, "node", out var node);
        var claim = await ClaimTwentyAsync(store, node);
        var error = new string('x', 1024 * 1024);
        var before = database.Writer.Commits;

        await store.FinishAsync(
            node, [.. claim.Entries.Select(
                entry => new RunOutcome { EntryId = entry.Id, Fence = claim.Fence, Kind = OutcomeKind.Failed, Error = error })],
            CancellationToken.None);

        Assert.InRange(database.Writer.Commits - before, 5, 20);
    }

    [Fact]
    public async Task Outcomes_with_large_results_are_stored_in_several_transactions()
    {
        var database = _files.Open();
        var store = _files.Store(database);
        await store.PrepareAsync(CancellationToken.None);
        using var session = TemporaryDatabase.Join(store, "node", out var node);
        var claim = await ClaimTwentyAsync(store, node);
        var result = System.Text.Encoding.UTF8.GetBytes($"\"{new string('x', 1024 * 1024)}\"");
        var before = database.Writer.Commits;

        var refused = await store.FinishAsync(
            node, [.. claim.Entries.Select(
                entry => new RunOutcome { EntryId = entry.Id, Fence = claim.Fence, Kind = OutcomeKind.Completed, Result = result })],
            CancellationToken.None);

        Assert.Empty(refused);
        Assert.InRange(database.Writer.Commits - before, 5, 20);
    }

    [Fact]
    public async Task A_batch_during_which_others_would_wait_for_long_is_refused_unless_the_caller_has_a_transaction()
    {
        var store = await _files.OpenStoreAsync();
        NewEntry[] many = [.. Enumerable.Repeat(TemporaryDatabase.Entry(), 100_001)];
        NewEntry[] large = [.. Enumerable.Repeat(TemporaryDatabase.Entry($"\"{new string('x', 1024 * 1024)}\""), 65)];

        var tooMany = await Assert.ThrowsAsync<ArgumentException>(async () => await store.EnqueueAsync(many, null, CancellationToken.None));
        var tooLarge = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync(large, null, CancellationToken.None));
        using (var transaction = _files.Connect().BeginTransaction())
        {
            await store.EnqueueAsync(large, transaction, CancellationToken.None);
            transaction.Commit();
        }

        Assert.Contains("100,001 entries", tooMany.Message, StringComparison.Ordinal);
        Assert.Contains("pass a transaction of your own", tooLarge.Message, StringComparison.Ordinal);
        Assert.Equal(65, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task Metadata_and_keys_count_among_the_bytes_of_a_batch()
    {
        var store = await _files.OpenStoreAsync();
        var half = new string(' ', 512 * 1024);
        var entry = TemporaryDatabase.Entry("{}") with { Metadata = half, UniqueKey = half };

        var refused = await Assert.ThrowsAsync<ArgumentException>(
            async () => await store.EnqueueAsync([.. Enumerable.Repeat(entry, 64)], null, CancellationToken.None));

        Assert.Contains("67,108,992 bytes of arguments and metadata", refused.Message, StringComparison.Ordinal);
        Assert.True(SqliteQueueStore.IsLong([entry]));
        Assert.False(SqliteQueueStore.IsLong([entry with { UniqueKey = null }]));
    }

    private static async Task<ClaimBatch> ClaimTwentyAsync(SqliteQueueStore store, Guid node)
    {
        await store.EnqueueAsync([.. Enumerable.Range(0, 20).Select(static _ => TemporaryDatabase.Entry())], null, CancellationToken.None);
        return await store.CreateClaimer(node, "default", ["work"]).ClaimAsync(
            20, new SuspectAllowance(3, 20, 1), CancellationToken.None);
    }
}
