using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Samples;

/// <summary>Rows of docs/coming-from/hangfire.md that promise how something behaves. ComingFromTests compares the page with this
/// file.</summary>
public sealed class ComingFromHangfireTests : IAsyncLifetime
{
    private PostgresDatabase? _database;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
        => _database = await MigratedDatabase.CreateAsync("coming_from");

    public ValueTask DisposeAsync() => _database!.DisposeAsync();

    [Fact]
    public async Task The_row_about_the_workers_of_a_server_limits_what_names_no_queue()
    {
        var mailer = new HeldMailer(limit: 5, all: 10);
        using var host = Build(services => services.AddSingleton<IMailer>(mailer)
            .AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddWorker<SendMail, SendMailWorker>()
            .AddQueue("default", concurrency: 5));
        await host.StartAsync(Cancellation);
        var queue = host.Services.GetRequiredService<IJobQueue>();

        await queue.EnqueueManyAsync(
            Enumerable.Range(1, 10).Select(static id => EnqueueRequest.Create(new SendMail(id))), cancellationToken: Cancellation);
        await mailer.IsBusy.WaitAsync(Cancellation);
        await queue.CountAsync(cancellationToken: Cancellation);
        mailer.Release();
        await mailer.HasSentAll.WaitAsync(Cancellation);

        Assert.Equal(5, mailer.MostAtOnce);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task One_class_runs_what_is_enqueued_and_what_is_recurring()
    {
        var ran = new Ran();
        using var host = Build(services => services.AddSingleton<IReports>(ran)
            .AddTaskRecovery().UsePostgreSql(_database!.ConnectionString)
            .AddWorker<Report, ReportWork>().AddTaskHandler<Report, ReportWork>()
            .AddCronJob("report", "0 6 * * *", new Report("daily")));
        await host.StartAsync(Cancellation);
        var (queue, jobs) = (host.Services.GetRequiredService<IJobQueue>(), host.Services.GetRequiredService<IJobService>());

        await queue.EnqueueAsync(new Report("now"), Cancellation);
        Assert.Equal("report now", await ran.NextAsync());
        await jobs.TriggerNowAsync((await jobs.GetByNameAsync("report", Cancellation))!.Id, cancellationToken: Cancellation);
        Assert.Equal("report daily", await ran.NextAsync());

        await host.StopAsync(Cancellation);
    }

    private static IHost Build(Action<IServiceCollection> register)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddPatience();
        register(builder.Services);
        return builder.Build();
    }

    /// <summary>Sends no mail until the test lets it.</summary>
    private sealed class HeldMailer(int limit, int all) : IMailer
    {
        private readonly Lock _lock = new();
        private readonly TaskCompletionSource _isBusy = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _isReleased = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _hasSentAll = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _sending;
        private int _sent;

        public Task IsBusy => _isBusy.Task;

        public Task HasSentAll => _hasSentAll.Task;

        public int MostAtOnce { get; private set; }

        public void Release() => _isReleased.TrySetResult();

        public async Task SendAsync(int orderId, CancellationToken cancellationToken)
        {
            lock (_lock)
            {
                MostAtOnce = Math.Max(MostAtOnce, ++_sending);
                if (_sending == limit)
                {
                    _isBusy.TrySetResult();
                }
            }

            await _isReleased.Task.WaitAsync(cancellationToken);
            lock (_lock)
            {
                _sending--;
                if (++_sent == all)
                {
                    _hasSentAll.TrySetResult();
                }
            }
        }
    }
}
