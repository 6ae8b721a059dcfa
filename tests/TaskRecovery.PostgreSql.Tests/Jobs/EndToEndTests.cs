using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Jobs;

/// <summary>Jobs through the whole of it: registration, schedule, engine, store.</summary>
public sealed class EndToEndTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly PostgreSqlFixture _fixture = new();
    private readonly Runs _runs = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _fixture.CreateAsync(migrate: true, Cancellation);

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public async Task Declared_job_runs_and_a_failed_attempt_goes_on_with_the_first_unfinished_step()
    {
        var steps = 0;
        _runs.Do = async (context, stop) =>
        {
            var one = await context.StepAsync("one", _ => Task.FromResult(Interlocked.Increment(ref steps)), stop);
            await context.SaveCheckpointAsync(context.Attempt, stop);
            if (context.Attempt == 1)
            {
                throw new InvalidOperationException("once");
            }

            context.SetResult((one, await context.GetCheckpointAsync<int>(stop), context.Args.Folder).ToString());
        };
        using var host = await StartAsync(TimeSpan.FromHours(1));

        var tasks = host.Services.GetRequiredService<ITaskService>();
        var task = await UntilAsync(async ()
            => (await tasks.ListAsync(new TaskQuery { State = TaskState.Completed }, Cancellation)).Tasks is [var first, ..]
                ? first
                : null);
        task = await tasks.GetAsync(task.Id, Cancellation);
        await host.StopAsync(Cancellation);

        Assert.Equal((2, 0, 1), (task!.Attempt, task.Crashes, steps));
        Assert.Equal("\"(1, 2, docs)\"", task.Result);
        var job = await host.Services.GetRequiredService<IJobService>().GetByNameAsync("links", Cancellation);
        Assert.Equal(task.DueAt!.Value + TimeSpan.FromHours(1), job!.NextRunAt);
        var entry = await host.Services.GetRequiredService<IJobQueue>().FindAsync(task.EntryId!.Value, Cancellation);
        Assert.Equal((EntryState.Completed, "task:test.links", 2), (entry!.State, entry.Kind, entry.Attempt));
    }

    [Fact]
    public async Task Two_hosts_run_each_due_time_once()
    {
        using var one = await StartAsync(TimeSpan.FromSeconds(1));
        using var two = await StartAsync(TimeSpan.FromSeconds(1));

        var tasks = one.Services.GetRequiredService<ITaskService>();
        var done = await UntilAsync(async ()
            => (await tasks.ListAsync(new TaskQuery { State = TaskState.Completed }, Cancellation)).Tasks is { Count: >= 4 } list
                ? list
                : null);
        await Task.WhenAll(one.StopAsync(Cancellation), two.StopAsync(Cancellation));

        var dues = (await tasks.ListAsync(cancellationToken: Cancellation)).Tasks.Select(task => task.DueAt!.Value).Order().ToArray();
        Assert.Equal(dues.Distinct(), dues);
        Assert.All(dues.Zip(dues.Skip(1)), pair => Assert.Equal(0, (pair.Second - pair.First).Ticks % TimeSpan.TicksPerSecond));
        Assert.True(done.Count >= 4);
        Assert.Empty(await _fixture.Queue.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task Cancelled_entry_cancels_its_running_task()
    {
        var started = new TaskCompletionSource<long>();
        _runs.Do = async (context, stop) =>
        {
            started.TrySetResult(context.EntryId);
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
        };
        using var host = await StartAsync(TimeSpan.FromHours(1));
        var entry = await started.Task.WaitAsync(Patience, Cancellation);

        Assert.True(await host.Services.GetRequiredService<IJobQueue>().CancelAsync(entry, Cancellation));

        var tasks = host.Services.GetRequiredService<ITaskService>();
        var task = await UntilAsync(async ()
            => (await tasks.ListAsync(new TaskQuery { State = TaskState.Cancelled }, Cancellation)).Tasks is [var first, ..]
                ? first
                : null);
        await host.StopAsync(Cancellation);
        Assert.Equal((entry, EndReasons.CancelRequested), (task.EntryId!.Value, task.Reason));
    }

    [Fact]
    public async Task Run_that_was_requested_before_a_pause_starts_as_soon_as_the_job_is_resumed()
    {
        using var host = await StartAsync(TimeSpan.FromHours(1));
        var (jobs, queue) = (host.Services.GetRequiredService<IJobService>(), host.Services.GetRequiredService<IJobQueue>());
        var job = (await jobs.GetByNameAsync("links", Cancellation))!;
        await queue.PauseAsync("default", Cancellation);
        var requested = await jobs.TriggerNowAsync(job.Id, OverlapPolicy.Allow, Cancellation);
        await jobs.PauseAsync(job.Id, cancellationToken: Cancellation);
        await queue.ResumeAsync("default", Cancellation);
        await UntilAsync(async () => await queue.FindAsync(requested, Cancellation) is { State: EntryState.Waiting } entry
            && entry.RunAt - entry.CreatedAt > TimeSpan.FromHours(1) ? entry : null);

        await jobs.ResumeAsync(job.Id, Cancellation);

        await UntilAsync(async ()
            => await queue.FindAsync(requested, Cancellation) is { State: EntryState.Completed } entry ? entry : null);
        await host.StopAsync(Cancellation);
        Assert.Empty(await _fixture.Queue.CheckInvariantsAsync(Cancellation));
    }

    [Fact]
    public async Task Runs_of_a_job_that_is_locked_do_not_keep_the_slots_of_their_queue()
    {
        using var host = await StartAsync(TimeSpan.FromHours(1), concurrency: 2);
        var (jobs, queue) = (host.Services.GetRequiredService<IJobService>(), host.Services.GetRequiredService<IJobQueue>());
        var job = (await jobs.GetByNameAsync("links", Cancellation))!;
        var tasks = host.Services.GetRequiredService<ITaskService>();
        await UntilAsync(async ()
            => (await tasks.ListAsync(new TaskQuery { State = TaskState.Completed }, Cancellation)).Tasks is [var first] ? first : null);
        await using var connection = await _fixture.OpenConnectionAsync(Cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(Cancellation))
        {
            await using var command = connection.CreateCommand();
            command.CommandText = $"select id from jobs where id = '{job.Id}' for update";
            await command.ExecuteNonQueryAsync(Cancellation);
            long[] requested =
            [
                await jobs.TriggerNowAsync(job.Id, OverlapPolicy.Allow, Cancellation),
                await jobs.TriggerNowAsync(job.Id, OverlapPolicy.Allow, Cancellation),
            ];
            foreach (var entry in requested)
            {
                await UntilAsync(async ()
                    => await queue.FindAsync(entry, Cancellation) is { State: EntryState.Running } found ? found : null);
            }

            var others = new List<long>();
            for (var number = 0; number < 20; number++)
            {
                others.Add((await queue.EnqueueAsync(new NoteArgs(), cancellationToken: Cancellation)).Id);
            }

            foreach (var entry in others)
            {
                await UntilAsync(async ()
                    => await queue.FindAsync(entry, Cancellation) is { State: EntryState.Completed } found ? found : null);
            }
        }

        await host.StopAsync(Cancellation);
        Assert.Empty(await _fixture.Queue.CheckInvariantsAsync(Cancellation));
    }

    private async Task<IHost> StartAsync(TimeSpan every, int concurrency = 20)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience().AddSingleton(_runs);
        builder.Services.AddTaskRecovery(options => options.Queues["default"] = new QueueOptions { Concurrency = concurrency })
            .UsePostgreSql(
                _fixture.ConnectionString,
                options => (options.Schema, options.CommandTimeout) = (_fixture.Schema, TimeSpan.FromMinutes(10)))
            .AddWorker<NoteArgs, NoteWorker>()
            .AddTaskHandler<LinksArgs, LinksHandler>()
            .AddIntervalJob("links", every, new LinksArgs("docs"));
        var host = builder.Build();
        await host.StartAsync(Cancellation);
        return host;
    }

    private static async Task<T> UntilAsync<T>(Func<Task<T?>> find)
        where T : class
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        var start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            if (await find() is { } found)
            {
                return found;
            }

            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, "It did not happen in time.");
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    [JobKind("test.links")]
    internal sealed record LinksArgs(string Folder);

    [JobKind("test.note")]
    internal sealed record NoteArgs;

    internal sealed class NoteWorker : IJobWorker<NoteArgs>
    {
        public Task WorkAsync(WorkContext<NoteArgs> context, CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>What the handler does, said by the test.</summary>
    internal sealed class Runs
    {
        public Func<TaskContext<LinksArgs>, CancellationToken, Task> Do { get; set; } = static (_, _) => Task.CompletedTask;
    }

    internal sealed class LinksHandler(Runs runs) : ITaskHandler<LinksArgs>
    {
        public Task RunAsync(TaskContext<LinksArgs> context, CancellationToken cancellationToken)
            => runs.Do(context, cancellationToken);

        public TimeSpan? NextRetry(TaskContext<LinksArgs> context, Exception exception) => TimeSpan.Zero;
    }
}
