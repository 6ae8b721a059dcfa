using Microsoft.Extensions.DependencyInjection;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>The delay of the next attempt is chosen by the instance that has run, although dependency injection would create
/// another.</summary>
public sealed class OwnRetryTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transient_worker_remembers_what_it_has_seen()
    {
        await using var application = await StartAsync(
            static builder => builder.AddWorker<Call, CallWorker>(), static services => services.AddTransient<CallWorker>());
        await application.Queue.EnqueueAsync(new Call(7), cancellationToken: Cancellation);

        Assert.Equal(TimeSpan.FromMinutes(7), await DelayAsync(application));
    }

    [Fact]
    public async Task A_transient_task_handler_remembers_what_it_has_seen()
    {
        await using var application = await StartAsync(
            static builder => builder.AddTaskHandler<Call, CallHandler>().AddIntervalJob("call", TimeSpan.FromDays(1), new Call(7)),
            static services => services.AddTransient<CallHandler>());

        Assert.Equal(TimeSpan.FromMinutes(7), await DelayAsync(application));
    }

    private static Task<TestApplication> StartAsync(Action<TaskRecoveryBuilder> register, Action<IServiceCollection> add)
        => TestApplication.StartAsync(static (_, _) => Task.CompletedTask, register: builder =>
        {
            add(builder.Services);
            register(builder);
        });

    private static async Task<TimeSpan?> DelayAsync(TestApplication application)
    {
        var drained = await application.Test.DrainAsync(new DrainOptions { AllowFailures = true }, Cancellation);
        return Assert.Single(drained.Runs).NextRunAt - application.Test.Now;
    }

    [JobKind("call")]
    private sealed record Call(int Minutes);

    private sealed class CallWorker : IJobWorker<Call>
    {
        private int _minutes;

        public Task WorkAsync(WorkContext<Call> context, CancellationToken cancellationToken)
        {
            _minutes = context.Args.Minutes;
            throw new InvalidOperationException("busy");
        }

        public TimeSpan? NextRetry(WorkContext<Call> context, Exception exception) => TimeSpan.FromMinutes(_minutes);
    }

    private sealed class CallHandler : ITaskHandler<Call>
    {
        private int _minutes;

        public Task RunAsync(TaskContext<Call> context, CancellationToken cancellationToken)
        {
            _minutes = context.Args.Minutes;
            throw new InvalidOperationException("busy");
        }

        public TimeSpan? NextRetry(TaskContext<Call> context, Exception exception) => TimeSpan.FromMinutes(_minutes);
    }
}
