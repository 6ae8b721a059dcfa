using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A run removes its steps in one round trip, so that a slow network does not keep its claim locked.</summary>
public sealed class ResetTests : PostgreSqlStoreTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Steps_are_removed_although_no_answer_comes_back(bool isTask)
    {
        var server = new NpgsqlConnectionStringBuilder(ConnectionString);
        await using var proxy = new TcpProxy(server.Host!, server.Port);
        var near = await OpenStoreAsync();
        var database = Open(connectionString: new NpgsqlConnectionStringBuilder(ConnectionString)
        {
            Host = "127.0.0.1",
            Port = proxy.Port,
        }.ConnectionString);
        database.Silence = TimeSpan.FromHours(1);
        var far = new PostgreSqlQueueStore(database, TimeProvider.System);
        var (node, fence, entry) = await GivenClaimAsync(near);
        var key = new ProgressKey(entry, isTask ? Guid.CreateVersion7() : null);

        // The connection is open and has prepared the statements, so that the next reset needs no answer but its own.
        Assert.True(await far.ResetProgressAsync(node, key, fence, 1, Cancellation));
        var saved = await near.SaveProgressAsync(
            node,
            [
                new ProgressWrite(key, fence, "one", "1"u8.ToArray()) { Ordinal = 2 },
                new ProgressWrite(key, fence, Step: null, "3"u8.ToArray()) { Ordinal = 3 },
            ],
            Cancellation);
        Assert.Equal([true, true], saved);

        proxy.Break(ProxyFault.StallToClient);
        var removing = Task.Run(async () => await far.ResetProgressAsync(node, key, fence, 4, Cancellation), Cancellation);
        await UntilNothingIsStoredAsync(near, key);
        proxy.Heal();

        Assert.True(await removing);
    }

    [Fact]
    public async Task A_reset_under_a_claim_that_is_not_held_removes_nothing()
    {
        var store = await OpenStoreAsync();
        var (node, fence, entry) = await GivenClaimAsync(store);
        var key = new ProgressKey(entry, null);
        await store.SaveProgressAsync(node, [new ProgressWrite(key, fence, "one", "1"u8.ToArray()) { Ordinal = 1 }], Cancellation);

        bool[] held =
        [
            await store.ResetProgressAsync(Guid.NewGuid(), key, fence, 2, Cancellation),
            await store.ResetProgressAsync(node, key, fence + 1, 2, Cancellation),
        ];

        Assert.Equal([false, false], held);
        Assert.Single((await store.LoadProgressAsync(key, Cancellation)).Steps);
    }

    private static async Task UntilNothingIsStoredAsync(PostgreSqlQueueStore store, ProgressKey key)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromMinutes(2));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await store.LoadProgressAsync(key, Cancellation) is { Steps.Count: > 0 } or { Checkpoint: not null })
        {
            await timer.WaitForNextTickAsync(limit.Token);
        }
    }

    private async Task<(Guid Node, long Fence, long Entry)> GivenClaimAsync(PostgreSqlQueueStore store)
    {
        var node = Keep(store.OpenNodeSession());
        var identity = Identity();
        node.Register(identity);
        await store.EnqueueAsync([Entry()], null, Cancellation);
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(1, default, Cancellation);
        return (identity.Id, batch.Fence, Assert.Single(batch.Entries).Id);
    }
}
