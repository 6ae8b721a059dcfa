namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Questions during which the store is closed.</summary>
public sealed class ClosedMonitorTests : PostgreSqlStoreTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Each_question_is_answered_or_learns_that_the_store_is_closed()
    {
        var database = Open();
        var reads = new MonitorReads(database, database.OpenMonitorAsync);
        using var begun = new SemaphoreSlim(0);
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<int>[] held = [ReadAsync(), ReadAsync()];
        Assert.True(await begun.WaitAsync(Limit, Cancellation));
        Assert.True(await begun.WaitAsync(Limit, Cancellation));
        var waiting = ReadAsync();

        // As a container does.
        foreach (var service in new object[] { reads, database })
        {
            (service as IDisposable)?.Dispose();
        }

        end.SetResult();

        var answers = await Task.WhenAll(held).WaitAsync(Limit, Cancellation);
        Assert.Equal([1, 1], answers);
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => waiting.WaitAsync(Limit, Cancellation));
        Assert.Contains("closed", error.Message, StringComparison.Ordinal);

        Task<int> ReadAsync() => reads.ReadAsync(
            Limit,
            async (_, _) =>
            {
                begun.Release();
                await end.Task;
                return 1;
            },
            Cancellation).AsTask();
    }
}
