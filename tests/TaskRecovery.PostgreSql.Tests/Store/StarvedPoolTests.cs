namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Nodes live without the thread pool. No other test runs meanwhile: it would stand still.</summary>
[Collection(nameof(Alone))]
public sealed class StarvedPoolTests : PostgreSqlStoreTests
{
    [Fact]
    public async Task A_session_is_opened_and_beaten_on_while_every_thread_of_the_pool_is_blocked()
    {
        var store = await OpenStoreAsync();
        var identity = Identity();
        using var release = new ManualResetEventSlim();
        var blocked = new CountdownEvent(1);
        for (var i = 0; i < 200; i++)
        {
            blocked.AddCount();
            ThreadPool.UnsafeQueueUserWorkItem(
                _ =>
                {
                    release.Wait();
                    blocked.Signal();
                },
                null);
        }

        // A session that needed a thread of the pool would wait for ever, so it gets one after a while.
        using var isDone = new ManualResetEventSlim();
        var wasRescued = false;
        var rescue = new Thread(() =>
        {
            wasRescued = !isDone.Wait(TimeSpan.FromMinutes(2));
            release.Set();
        });
        rescue.Start();
        try
        {
            using var session = store.OpenNodeSession();
            session.Register(identity);
            for (var sent = 0; sent < 20; sent++)
            {
                Assert.True(session.SendHeartbeat(identity.Id, holdsLock: true).Accepted);
            }
        }
        finally
        {
            isDone.Set();
            rescue.Join();
        }

        Assert.False(wasRescued);
        blocked.Signal();
        blocked.Wait(Cancellation);
    }
}

/// <summary>Tests that nothing may run beside.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
