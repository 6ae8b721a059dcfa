using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>What a worker may return as the wait before the next attempt.</summary>
public sealed class RetryWaitTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Theory]
    [InlineData(-1, 0)] // it counts as none
    [InlineData(40_000, 36_500)]
    [InlineData(null, 0)] // it throws
    public async Task A_wait_that_can_t_be_used_is_replaced(int? days, int used)
    {
        _work.Do = (_, _) => throw new InvalidOperationException("again");
        _work.NextRetry = (_, _) => days is { } some ? TimeSpan.FromDays(some) : throw new InvalidOperationException("no wait");
        await using var host = await WorkHost.StartAsync(
            _store,
            builder =>
            {
                builder.Services.AddSingleton(_work);
                builder.AddWorker<TestArgs, TestWorker>();
                builder.AddQueue("default");
            });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs());
        await _store.Until(store => store.Entry(id).Outcomes.Count > 0);

        var delay = _store.Entry(id).Outcomes[0].Delay;
        Assert.True(delay > TimeSpan.Zero);
        Assert.Equal(used, delay.Days);
    }
}
