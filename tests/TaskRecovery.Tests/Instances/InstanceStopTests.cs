using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Instances;

/// <summary>How a host with several instances stops.</summary>
public sealed class InstanceStopTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly FakeQueueStore _shop = new();
    private readonly FakeQueueStore _reports = new();
    private readonly TestWork _work = new();
    private readonly WorkLog _log = new();

    [Fact]
    public async Task While_one_instance_drains_no_other_starts_anything()
    {
        var finish = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var started = new SemaphoreSlim(0);
        var stopping = new SharedSet<CancellationToken>();
        _work.Do = (context, _) =>
        {
            stopping.Add(context.Stopping);
            started.Release();
            return finish.Task;
        };
        using var host = Build();
        await host.StartAsync();
        var first = _shop.Add("test.work", """{"number":1}""");
        var second = _reports.Add("test.work", """{"number":2}""");
        Assert.True(await started.WaitAsync(Limit));
        Assert.True(await started.WaitAsync(Limit));

        var stop = host.StopAsync();
        await _shop.Until(_ => _log.Count(2006) == 2);
        Assert.All(stopping, static token => Assert.True(token.IsCancellationRequested));
        var late = _shop.Add("test.work", """{"number":3}""");
        _shop.Hint(StoreHintKind.Work, "default");
        var (enqueued, _) = await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(new TestArgs(4));
        Assert.False(stop.IsCompleted);
        finish.SetResult();
        await stop.WaitAsync(Limit);

        FakeEntry[] left = [_shop.Entry(late), _shop.Entry(enqueued)];
        Assert.Equal(2, stopping.Count);
        Assert.Equal([OutcomeKind.Completed], _shop.Entry(first).Kinds);
        Assert.Equal([OutcomeKind.Completed], _reports.Entry(second).Kinds);
        Assert.All(left, static entry => Assert.Null(entry.Fence));
        Assert.All(left, static entry => Assert.Empty(entry.Outcomes));
        Assert.Equal((1, 1), (_shop.LeftNodes.Count, _reports.LeftNodes.Count));
    }

    private IHost Build()
    {
        var builder = WorkHost.NewBuilder(_log);
        builder.Services.AddSingleton(_work);
        builder.Services.AddInstance(null, _shop, Patient).AddWorker<TestArgs, TestWorker>();
        builder.Services.AddInstance("reports", _reports, Patient).AddWorker<TestArgs, TestWorker>();
        return builder.Build();

        static void Patient(TaskRecoveryOptions options) => options.ShutdownTimeout = TimeSpan.FromHours(1);
    }
}
