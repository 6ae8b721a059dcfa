using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Monitoring;

/// <summary>A store without bulk operations can be operated otherwise.</summary>
public sealed class NoOperationStoreTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_end_of_a_pause_is_counted_from_the_clock_of_the_process()
    {
        var time = new ManualTimeProvider();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton<TimeProvider>(time);
        services.AddTaskRecovery();
        await using var provider = services.BuildServiceProvider();
        var store = provider.GetRequiredService<IOperationStore>();

        var now = await store.GetTimeAsync(Cancellation);

        Assert.Equal(time.GetUtcNow(), now);
        await Assert.ThrowsAsync<NotSupportedException>(async () => await store.FindLastEntryAsync(Cancellation));
    }
}
