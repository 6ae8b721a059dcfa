using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace TaskRecovery.Sqlite.Tests.Store;

/// <summary>Calls that wait for a transaction which in turn waits for them: nothing of them is ever stored.</summary>
public sealed class OwnTransactionTests : IDisposable
{
    private readonly TemporaryDatabase _files = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task An_enqueue_that_is_cancelled_while_it_waits_for_the_lock_is_never_stored(int others)
    {
        var store = await _files.OpenStoreAsync();
        await using var provider = GivenServices(static _ => { });
        var queue = provider.GetRequiredService<IJobQueue>();
        using var cancellation = new CancellationTokenSource();
        using var otherCancellation = new CancellationTokenSource();
        Task<EnqueueResult>[] kept;
        using (_files.Connect().BeginTransaction())
        {
            var cancelled = queue.EnqueueAsync(new Note("cancelled"), cancellationToken: cancellation.Token).AsTask();
            kept = [.. Enumerable.Range(0, others).Select(_ => queue.EnqueueAsync(new Note("kept"), cancellationToken: otherCancellation.Token).AsTask())];
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        await Task.WhenAll(kept);

        Assert.Equal(others, (await store.CountAsync(null, CancellationToken.None)).Waiting);
    }

    [Fact]
    public async Task A_handler_that_enqueues_inside_its_own_transaction_without_passing_it_stores_nothing_with_any_attempt()
    {
        var store = await _files.OpenStoreAsync();
        var attempts = new Attempts(_files.ConnectionString);
        await using var provider = GivenServices(services => services.AddSingleton(attempts));
        foreach (var service in provider.GetServices<IHostedService>())
        {
            await service.StartAsync(CancellationToken.None);
        }

        var (id, _) = await provider.GetRequiredService<IJobQueue>().EnqueueAsync(
            new Work(), new EnqueueOptions { Timeout = TimeSpan.FromSeconds(0.5), MaxAttempts = 2, Queue = "work" });
        await attempts.Last.Task.WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var service in provider.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(CancellationToken.None);
        }

        Assert.Equal(1, id);
        Assert.Null(await store.FindAsync(2, CancellationToken.None));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    public void Dispose() => _files.Dispose();

    private ServiceProvider GivenServices(Action<IServiceCollection> configure)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        configure(services);
        var builder = services.AddTaskRecovery().UseSqlite(_files.ConnectionString).AddKind<Note>();
        if (services.Any(static service => service.ServiceType == typeof(Attempts)))
        {
            builder.AddQueue("work", 2).AddWorker<Work, WorkWorker>(configure: static worker => worker.RetryBase = TimeSpan.Zero);
        }

        return services.BuildServiceProvider();
    }

    [JobKind("note")]
    private sealed record Note(string Text);

    [JobKind("own.transaction")]
    private sealed record Work;

    private sealed record Attempts(string ConnectionString)
    {
        public TaskCompletionSource Last { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class WorkWorker(IJobQueue queue, Attempts attempts) : IJobWorker<Work>
    {
        public async Task WorkAsync(WorkContext<Work> context, CancellationToken cancellationToken)
        {
            try
            {
                await using var connection = new SqliteConnection(attempts.ConnectionString);
                await connection.OpenAsync(cancellationToken);
                await using var transaction = connection.BeginTransaction();
                await queue.EnqueueAsync(new Note("mine"), cancellationToken: cancellationToken);
            }
            finally
            {
                if (context.Attempt == 2)
                {
                    attempts.Last.TrySetResult();
                }
            }
        }
    }
}
