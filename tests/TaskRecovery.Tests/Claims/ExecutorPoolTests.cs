using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Claims;
using TaskRecovery.Hosting;
using TaskRecovery.Nodes;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Claims;

/// <summary>The slots of a queue.</summary>
public sealed class ExecutorPoolTests
{
    private const int Runs = 3;

    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Fact]
    public async Task Every_run_under_a_lost_lease_is_cancelled_although_threads_can_t_be_started()
    {
        using var running = new SemaphoreSlim(0);
        using var cancelled = new SemaphoreSlim(0);
        _work.Do = async (_, cancellationToken) =>
        {
            running.Release();
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancelled.Release();
        };
        await using var host = WorkHost.Create(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddWorker<TestArgs, TestWorker>();
        });
        var started = 0;
        var pool = new ExecutorPool(
            new QueueOptions { Concurrency = Runs }, host.Services.GetRequiredService<WorkServices>(), new Signal())
        {
            StartThread = thread =>
            {
                if (++started > 1)
                {
                    NoThread.Start(thread);
                }

                thread.UnsafeStart();
            },
        };
        var node = new Node(Guid.NewGuid(), "node", TimeProvider.System);
        node.Extend(TimeProvider.System.GetTimestamp() + (3_600 * TimeProvider.System.TimestampFrequency));
        var lease = node.Lease!;
        ClaimedEntry[] entries = [.. Enumerable.Range(0, Runs).Select(_ => _store.Entry(_store.Add("test.work", "{}")).Claimed(false))];
        pool.Run(lease.Accept(fence: 1, Runs), entries);
        await WaitAsync(running);

        pool.StopRunsOf(lease);

        await WaitAsync(cancelled);
        Assert.Equal(Runs, started);
    }

    private static async Task WaitAsync(SemaphoreSlim count)
    {
        for (var number = 0; number < Runs; number++)
        {
            await count.WaitAsync(TestContext.Current.CancellationToken);
        }
    }
}
