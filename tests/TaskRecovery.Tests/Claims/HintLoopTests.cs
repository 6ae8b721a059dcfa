using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>What a node reports of hints that do not reach it.</summary>
public sealed class HintLoopTests
{
    [Fact]
    public async Task A_node_whose_attempt_to_listen_fails_is_full_until_one_succeeds()
    {
        var fails = true;
        var store = new FakeQueueStore
        {
            OnCall = call =>
            {
                if (call == "listen" && Volatile.Read(ref fails))
                {
                    throw new StoreUnavailableException("A pooler refuses to listen.");
                }
            },
        };
        await using var host = await WorkHost.StartAsync(
            store,
            static builder =>
            {
                builder.Services.AddSingleton(new TestWork());
                builder.AddWorker<TestArgs, TestWorker>();
            });
        var turns = host.Services.GetRequiredService<HintTurns>();

        Assert.True(SpinWait.SpinUntil(() => turns.Offer().FullQueues.Count == 1, TimeSpan.FromSeconds(50)));
        Volatile.Write(ref fails, false);
        await store.Until(static now => now.CallsOf("listening") > 0);

        Assert.Empty(turns.Offer().FullQueues);
    }
}
