using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Workers;

/// <summary>How much of large entries a process claims ahead.</summary>
public sealed class LargeEntryTests
{
    private readonly FakeQueueStore _store = new();
    private readonly TestWork _work = new();

    [Theory]
    [InlineData(1024, true)]
    [InlineData(2 * 1024 * 1024, false)]
    public async Task Entries_are_claimed_ahead_up_to_a_number_of_bytes(int bytes, bool isClaimed)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = (_, _) => gate.Task;
        var text = $$"""{"text":"{{new string('x', bytes)}}"}""";
        long[] first = [.. Enumerable.Range(0, 10).Select(_ => _store.Add("test.work", text))];
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.Services.AddSingleton(_work);
            builder.AddQueue("default", concurrency: 1, prefetch: 20);
            builder.AddWorker<TestArgs, TestWorker>();
        });
        await _store.Until(store => first.All(id => store.Entry(id).Fence is not null));

        var next = _store.Add("test.work", "{}");
        var polls = _store.CallsOf("poll");
        await _store.Until(store => isClaimed ? store.Entry(next).Fence is not null : store.CallsOf("poll") >= polls + 3);

        Assert.Equal(isClaimed, _store.Entry(next).Fence is not null);
        gate.SetResult();
        await _store.UntilEnded([.. first, next]);
    }
}
