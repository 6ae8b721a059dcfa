using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;

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
            kept = [.. Enumerable.Range(0, others).Select(
                _ => queue.EnqueueAsync(new Note("kept"), cancellationToken: otherCancellation.Token).AsTask())];
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        }

        await Task.WhenAll(kept);

        Assert.Equal(others, (await store.CountAsync(null, CancellationToken.None)).Due.Value);
    }

    [Fact]
    public async Task A_handler_that_enqueues_inside_its_own_transaction_without_passing_it_stores_nothing_with_any_attempt()
    {
        var store = await _files.OpenStoreAsync();
        var attempts = new Attempts(_files.ConnectionString);
        await using var provider = GivenServices(services => services.AddSingleton(attempts));
        await provider.StartAllAsync(CancellationToken.None);

        var (id, _) = await provider.GetRequiredService<IJobQueue>().EnqueueAsync(
            new Work(), new EnqueueOptions { Timeout = TimeSpan.FromSeconds(0.5), MaxAttempts = 2, Queue = "work" });
        await attempts.Last.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await provider.StopAllAsync(CancellationToken.None);

        Assert.Equal(1, id);
        Assert.Null(await store.FindAsync(2, CancellationToken.None));
        Assert.Empty(await store.CheckInvariantsAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_handler_that_never_passes_its_own_transaction_fails_with_the_remedy_after_its_attempts()
    {
        if (!OperatingSystem.IsLinux())
        {
            return; // Only Linux reports which process holds a lock.
        }

        var store = await _files.OpenStoreAsync();
        var attempts = new Attempts(_files.ConnectionString);
        await using var provider = GivenServices(
            services => services.AddSingleton(attempts), static options => options.BusyTimeout = TimeSpan.FromSeconds(1));
        await provider.StartAllAsync(CancellationToken.None);

        var (id, _) = await provider.GetRequiredService<IJobQueue>().EnqueueAsync(
            new Work(), new EnqueueOptions { MaxAttempts = 2, Queue = "work" });
        var ended = await EndedAsync(store, id);
        await provider.StopAllAsync(CancellationToken.None);

        Assert.Equal((EntryState.Failed, 2), (ended.State, ended.Attempt));
        Assert.Contains("If it is the caller's, pass it to the call", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_that_would_wait_for_its_callers_own_transaction_is_refused_at_once()
    {
        await _files.OpenStoreAsync();
        await using var provider = GivenServices(static _ => { }, static options => options.BusyTimeout = TimeSpan.FromMinutes(10));
        var queue = provider.GetRequiredService<IJobQueue>();
        var jobs = provider.GetRequiredService<IJobService>();
        var tasks = provider.GetRequiredService<ITaskService>();
        var operate = provider.GetRequiredService<IQueueOperator>();
        var anna = new AuditInfo("anna");
        await using (var transaction = _files.Connect().BeginTransaction())
        {
            await queue.EnqueueAsync(new Note("passed"), transaction);

            Func<Task>[] calls =
            [
                async () => await queue.EnqueueAsync(new Note("forgotten")),
                async () => await queue.EnqueueManyAsync([EnqueueRequest.Create(new Note("forgotten"))]),
                async () => await queue.CancelAsync(1),
                async () => await queue.RetryAsync(1),
                async () => await queue.EraseAsync(EraseTarget.Entry(1)),
                async () => await queue.PauseAsync("default"),
                () => jobs.CreateOrUpdateAsync(new JobDefinition("job", Schedule.Every(TimeSpan.FromDays(1))), new Note("forgotten")),
                () => jobs.PauseAsync(Guid.NewGuid()),
                () => jobs.ResumeAsync(Guid.NewGuid()),
                () => jobs.DeleteAsync(Guid.NewGuid()),
                () => jobs.TriggerNowAsync(Guid.NewGuid()),
                () => jobs.RecoverJobsAsync(),
                () => tasks.RecoverRunningTasksAsync(),
                async () => await operate.RecoverAsync(anna),
                async () => await operate.PreviewAsync(new BulkRequest { Action = BulkAction.Cancel, EntryIds = [1] }, anna),
                async () => await operate.StartAsync(1, anna),
                async () => await operate.ContinueAsync(1),
                async () => await operate.StopAsync(1, anna),
                async () => await operate.UndoAsync(1, anna),
                async () => await operate.RecordRefusalAsync("retry entry 1", anna),
            ];
            foreach (var call in calls)
            {
                var error = await Assert.ThrowsAsync<InvalidOperationException>(() => call().WaitAsync(TimeSpan.FromMinutes(2)));
                Assert.Contains("it holds the database's only write lock", error.Message, StringComparison.Ordinal);
            }

            await queue.EnqueueManyAsync([EnqueueRequest.Create(new Note("passed too"))], transaction);
            await transaction.CommitAsync();
        }

        await queue.EnqueueAsync(new Note("afterwards"));
        Assert.Equal(3, (await queue.CountAsync()).Due.Value);
    }

    [Fact]
    public async Task A_transaction_of_another_flow_or_file_is_waited_for()
    {
        await _files.OpenStoreAsync();
        await using var provider = GivenServices(static _ => { });
        var queue = provider.GetRequiredService<IJobQueue>();
        Task<EnqueueResult> waiting;
        await using (var transaction = _files.Connect().BeginTransaction())
        {
            await PassAsync(transaction);
            waiting = queue.EnqueueAsync(new Note("waits")).AsTask();
            await transaction.CommitAsync();
        }

        await waiting;
        using var folder = new TemporaryDatabase();
        await using var elsewhere = folder.Connect().BeginTransaction();
        await Assert.ThrowsAsync<ArgumentException>(async () => await queue.EnqueueAsync(new Note("refused"), elsewhere));
        await queue.EnqueueAsync(new Note("here"));

        Assert.Equal(3, (await queue.CountAsync()).Due.Value);

        // What an asynchronous method passes stays in its own flow.
        async Task PassAsync(SqliteTransaction transaction) => await queue.EnqueueAsync(new Note("passed"), transaction);
    }

    [Fact]
    public async Task A_transaction_that_was_passed_but_has_only_read_keeps_no_call_waiting()
    {
        await _files.OpenStoreAsync();
        await using var provider = GivenServices(static _ => { });
        var queue = provider.GetRequiredService<IJobQueue>();
        await using var transaction = _files.Connect().BeginTransaction(deferred: true);
        await queue.EnqueueManyAsync([], transaction);
        await using (var command = transaction.Connection!.CreateCommand())
        {
            command.Transaction = transaction;
            command.CommandText = "select count(*) from taskrecovery_entries";
            await command.ExecuteScalarAsync();
        }

        await queue.EnqueueAsync(new Note("not passed"));

        Assert.Equal(1, (await queue.CountAsync()).Due.Value);
    }

    [Fact]
    public async Task The_transaction_of_a_context_is_known_after_its_changes_were_saved_with_an_entry()
    {
        await _files.OpenStoreAsync();
        await using var provider = GivenServices(
            services => services.AddDbContext<NoteContext>(options => options.UseSqlite(_files.ConnectionString)),
            static options => options.BusyTimeout = TimeSpan.FromMinutes(10));
        var queue = provider.GetRequiredService<IJobQueue>();
        await using var scope = provider.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<NoteContext>();
        await using (var transaction = await context.Database.BeginTransactionAsync())
        {
            await context.SaveChangesAndEnqueueAsync(new Note("passed"));

            var error = await Assert.ThrowsAsync<InvalidOperationException>(
                () => queue.EnqueueAsync(new Note("forgotten")).AsTask().WaitAsync(TimeSpan.FromMinutes(2)));
            await transaction.CommitAsync();

            Assert.Contains("it holds the database's only write lock", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, (await queue.CountAsync()).Due.Value);
    }

    [Fact]
    public async Task A_step_is_refused_before_it_runs_while_its_handlers_own_transaction_is_open()
    {
        var store = await _files.OpenStoreAsync();
        var attempts = new Attempts(_files.ConnectionString);
        await using var provider = GivenServices(
            services => services.AddSingleton(attempts), static options => options.BusyTimeout = TimeSpan.FromMinutes(10));
        await provider.StartAllAsync(CancellationToken.None);

        await provider.GetRequiredService<IJobQueue>().EnqueueAsync(new Stepping(), new EnqueueOptions { MaxAttempts = 1, Queue = "work" });
        var errors = await attempts.Errors.Task.WaitAsync(TimeSpan.FromSeconds(60));
        await provider.StopAllAsync(CancellationToken.None);

        Assert.Equal(3, errors.Count);
        Assert.All(errors, static error => Assert.Contains("only write lock", error, StringComparison.Ordinal));
        Assert.Empty((await store.LoadProgressAsync(new ProgressKey(1, null), CancellationToken.None)).Steps);
    }

    public void Dispose() => _files.Dispose();

    private static async Task<QueueEntry> EndedAsync(SqliteQueueStore store, long id)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var ticks = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (true)
        {
            if (await store.FindAsync(id, limit.Token) is { EndedAt: not null } ended)
            {
                return ended;
            }

            await ticks.WaitForNextTickAsync(limit.Token);
        }
    }

    private ServiceProvider GivenServices(Action<IServiceCollection> configure, Action<SqliteOptions>? sqlite = null)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        configure(services);
        var builder = services.AddTaskRecovery().UseSqlite(_files.ConnectionString, sqlite).AddKind<Note>();
        if (services.Any(static service => service.ServiceType == typeof(Attempts)))
        {
            builder.AddQueue("work", 2).AddWorker<Work, WorkWorker>(configure: static worker => worker.RetryBase = TimeSpan.Zero)
                .AddWorker<Stepping, SteppingWorker>();
        }

        return services.BuildServiceProvider();
    }

    private sealed class NoteContext(DbContextOptions<NoteContext> options) : DbContext(options);

    [JobKind("note")]
    private sealed record Note(string Text);

    [JobKind("own.step")]
    private sealed record Stepping;

    private sealed class SteppingWorker(IJobQueue queue, Attempts attempts) : IJobWorker<Stepping>
    {
        public async Task WorkAsync(WorkContext<Stepping> context, CancellationToken cancellationToken)
        {
            await using var connection = new SqliteConnection(attempts.ConnectionString);
            await connection.OpenAsync(cancellationToken);
            await using var transaction = connection.BeginTransaction();
            await queue.EnqueueAsync(new Note("passed"), transaction, cancellationToken: cancellationToken);
            var errors = new List<string>();
            foreach (var call in new Func<Task>[]
            {
                () => context.StepAsync("step", static _ => throw new InvalidOperationException("ran"), cancellationToken),
                () => context.SaveCheckpointAsync(1, cancellationToken),
                () => context.ResetStepsAsync(cancellationToken),
            })
            {
                errors.Add((await Assert.ThrowsAsync<InvalidOperationException>(call)).Message);
            }

            attempts.Errors.TrySetResult(errors);
        }
    }

    [JobKind("own.transaction")]
    private sealed record Work;

    private sealed record Attempts(string ConnectionString)
    {
        public TaskCompletionSource<List<string>> Errors { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
