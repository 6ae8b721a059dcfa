using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TaskRecovery.Testing.Hosts;

namespace TaskRecovery.Testing.Tests.Hosts;

/// <summary>How an application is put under test.</summary>
public sealed class SetupTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void It_comes_after_the_application_s_services()
        => Assert.Contains("call it after", Assert.Throws<InvalidOperationException>(
            () => new ServiceCollection().AddTaskRecoveryTesting()).Message, StringComparison.Ordinal);

    [Fact]
    public void An_application_that_is_not_under_test_says_so()
    {
        using var services = new ServiceCollection().BuildServiceProvider();

        Assert.Contains(
            "AddTaskRecoveryTesting", Assert.Throws<InvalidOperationException>(services.GetTaskRecoveryTest).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_replaces_the_application_s_store_and_may_be_called_twice()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().UseSqlite("Data Source=/nonexistent/queue.db").AddKind<Samples.SendMail>();
        builder.Services.AddTaskRecoveryTesting().AddTaskRecoveryTesting();
        using var host = builder.Build();

        await host.StartAsync(Cancellation);
        await host.Services.GetRequiredService<IJobQueue>().EnqueueAsync(
            new Samples.SendMail("ada@example.org", "Hello"), cancellationToken: Cancellation);
        await host.Services.GetTaskRecoveryTest().ShouldHaveEnqueuedAsync<Samples.SendMail>(cancellationToken: Cancellation);
        await host.StopAsync(Cancellation);
    }

    [Fact]
    public async Task A_store_that_is_set_up_after_the_test_fails_the_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        var tasks = builder.Services.AddTaskRecovery().AddKind<Samples.SendMail>();
        builder.Services.AddTaskRecoveryTesting();
        tasks.UseSqlite("Data Source=never-opened.db");
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Cancellation));

        Assert.Contains("a store was set up after AddTaskRecoveryTesting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_temporary_file_goes_with_the_host()
    {
        var application = await TestApplication.StartAsync((_, _) => Task.CompletedTask);
        var path = application.Services.GetRequiredService<TestFolder>().DatabasePath;
        Assert.True(File.Exists(path));

        await application.DisposeAsync();

        Assert.False(Directory.Exists(Path.GetDirectoryName(path)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_violation_of_the_invariant_is_thrown_when_all_else_has_been_disposed(bool isQueueCreatedFirst)
    {
        var application = await TestApplication.StartAsync(
            (_, _) => Task.CompletedTask,
            register: builder =>
            {
                if (isQueueCreatedFirst)
                {
                    builder.Services.Insert(0, ServiceDescriptor.Singleton<IHostedService, QueueUser>());
                }
            });
        var path = application.Services.GetRequiredService<TestFolder>().DatabasePath;
        await application.Queue.EnqueueAsync(new Numbers(1), cancellationToken: Cancellation);
        var settings = new SqliteConnectionStringBuilder { DataSource = path, Pooling = false };
        await using (var connection = new SqliteConnection(settings.ConnectionString))
        {
            await connection.OpenAsync(Cancellation);
            await using var command = connection.CreateCommand();
            command.CommandText = "delete from taskrecovery_waiting";
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        var failed = await Assert.ThrowsAsync<TestFailedException>(async () => await application.DisposeAsync());

        Assert.Contains("entry 1 is in 0 places", failed.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.GetDirectoryName(path)));
    }

    [Fact]
    public async Task The_error_of_a_failed_start_is_not_replaced_by_one_of_the_last_check()
    {
        var folder = Directory.CreateTempSubdirectory("taskrecovery-setup-");
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery(options => options.StartupMode = StartupMode.FailFast)
            .UseSqlite($"Data Source={Path.Combine(folder.FullName, "empty.db")}", options => options.MigrateOnStart = false)
            .AddKind<Samples.SendMail>();
        builder.Services.AddTaskRecoveryTesting(options => options.Store = TestStore.Keep);

        var error = await Assert.ThrowsAsync<StoreConfigurationException>(async () =>
        {
            using var host = builder.Build();
            await host.StartAsync(Cancellation);
        });

        Assert.Contains("lacks migration", error.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Fifty_hosts_run_in_parallel()
        => await Parallel.ForAsync(0, 50, Cancellation, async (number, token) =>
        {
            var seen = 0;
            await using var application = await TestApplication.StartAsync((context, _) =>
            {
                seen += context.Args.First;
                return Task.CompletedTask;
            });

            await application.Queue.EnqueueAsync(new Numbers(number), cancellationToken: token);
            await application.Test.DrainAsync(cancellationToken: token);

            Assert.Equal(number, seen);
        });

    [Fact]
    public async Task In_the_background_a_drain_waits_for_what_runs()
    {
        TestApplication? own = null;
        var seen = 0;
        await using var application = own = await TestApplication.StartAsync(
            async (context, token) =>
            {
                Interlocked.Increment(ref seen);
                if (context.Args.First > 0)
                {
                    await own!.Queue.EnqueueAsync(new Numbers(context.Args.First - 1), cancellationToken: token);
                }
            },
            options => options.Running = TestRunning.Automatic);
        await application.Queue.EnqueueAsync(new Numbers(3), cancellationToken: Cancellation);

        var drained = await application.Test.DrainAsync(cancellationToken: Cancellation);

        Assert.Equal(4, seen);
        Assert.Equal(4, drained.Runs.Count);
    }

    [Fact]
    public async Task In_the_background_time_can_be_advanced()
    {
        var seen = 0;
        await using var application = await TestApplication.StartAsync(
            (_, _) =>
            {
                Interlocked.Increment(ref seen);
                return Task.CompletedTask;
            },
            options => options.Running = TestRunning.Automatic);
        await application.Queue.EnqueueAsync(new Numbers(3), new EnqueueOptions { RunAfter = TimeSpan.FromDays(1) }, Cancellation);

        await application.Test.AdvanceAsync(TimeSpan.FromDays(2), cancellationToken: Cancellation);

        Assert.Equal(1, seen);
    }

    private sealed class QueueUser(IJobQueue queue) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            GC.KeepAlive(queue);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
