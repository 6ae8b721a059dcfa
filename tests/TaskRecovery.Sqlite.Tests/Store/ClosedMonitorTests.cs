namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Questions during which the store is closed.</summary>
public sealed class ClosedMonitorTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TemporaryDatabase _files = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Each_question_is_answered_or_learns_that_the_store_is_closed()
    {
        var database = _files.Open();
        await _files.Store(database).PrepareAsync(Cancellation);
        var monitor = new SqliteMonitorStore(database);
        using var begun = new SemaphoreSlim(0);
        using var end = new ManualResetEventSlim();
        Task<int>[] held = [ReadAsync(), ReadAsync()];
        Assert.True(await begun.WaitAsync(Limit, Cancellation));
        Assert.True(await begun.WaitAsync(Limit, Cancellation));
        var waiting = ReadAsync();

        // As a container does.
        foreach (var service in new object[] { monitor, database })
        {
            (service as IDisposable)?.Dispose();
        }

        end.Set();

        var answers = await Task.WhenAll(held).WaitAsync(Limit, Cancellation);
        Assert.Equal([1, 1], answers);
        var error = await Assert.ThrowsAsync<StoreUnavailableException>(() => waiting.WaitAsync(Limit, Cancellation));
        Assert.Contains("closed", error.Message, StringComparison.Ordinal);

        Task<int> ReadAsync() => monitor.ReadAsync(
            _ =>
            {
                begun.Release();
                end.Wait(Limit);
                return 1;
            },
            Cancellation).AsTask();
    }
}
