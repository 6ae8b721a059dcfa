using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using TaskRecovery.Storage;
using TaskRecovery.Tests.Support;

namespace TaskRecovery.Tests.Hosting;

/// <summary>A set-up that can't work fails the start, in one sentence with its remedy.</summary>
public sealed class SetupCheckTests
{
    private readonly FakeQueueStore _store = new();

    [Fact]
    public async Task Start_without_a_store_says_how_to_choose_one()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddTaskRecovery().AddWorker<OtherArgs, OtherWorker>();
        using var host = builder.Build();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync());

        Assert.StartsWith("TaskRecovery has no store. Call UsePostgreSql(...)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_stores_are_refused()
    {
        var builder = new ServiceCollection().AddTaskRecovery();
        builder.SetStore("UsePostgreSql");
        builder.SetStore("UsePostgreSql");

        var error = Assert.Throws<InvalidOperationException>(() => builder.SetStore("UseSqlite"));

        Assert.Contains("UsePostgreSql was called, and now UseSqlite", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_databases_of_one_store_are_refused_and_the_same_one_twice_is_accepted()
    {
        var postgres = new ServiceCollection().AddTaskRecovery().UsePostgreSql("Host=shop;Password=s3cret");
        var sqlite = new ServiceCollection().AddTaskRecovery().UseSqlite("Data Source=shop.db");

        postgres.UsePostgreSql("Host=shop;Password=s3cret");
        sqlite.UseSqlite("Data Source=shop.db");
        InvalidOperationException[] errors =
        [
            Assert.Throws<InvalidOperationException>(() => postgres.UsePostgreSql("Host=billing;Password=s3cret")),
            Assert.Throws<InvalidOperationException>(() => postgres.UsePostgreSql()),
            Assert.Throws<InvalidOperationException>(() => sqlite.UseSqlite("Data Source=billing.db")),
        ];

        Assert.All(errors, static error =>
        {
            Assert.Contains("AddTaskRecovery(\"billing\")", error.Message, StringComparison.Ordinal);
            Assert.Contains("ReplaceStore()", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
        });
        Assert.DoesNotContain(postgres.Services, static service => service.ToString().Contains("s3cret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, "is null")]
    [InlineData("", "is empty")]
    [InlineData(" ", "is empty")]
    public void A_missing_connection_string_is_refused_and_the_message_says_where_it_is_read_from(string? connectionString, string what)
    {
        var builder = new ServiceCollection().AddTaskRecovery();

        var ofPostgreSql = Assert.Throws<ArgumentException>(() => builder.UsePostgreSql(connectionString!));
        var ofSqlite = Assert.Throws<ArgumentException>(() => builder.UseSqlite(connectionString!));

        Assert.Contains($"passed to UsePostgreSql {what}", ofPostgreSql.Message, StringComparison.Ordinal);
        Assert.Contains($"passed to UseSqlite {what}", ofSqlite.Message, StringComparison.Ordinal);
        Assert.All(new[] { ofPostgreSql, ofSqlite }, static error =>
        {
            Assert.Contains("content root", error.Message, StringComparison.Ordinal);
            Assert.Contains("ConnectionStrings__X", error.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_missing_data_source_is_refused_and_the_message_says_how_to_register_one()
    {
        using var provider = new ServiceCollection().AddTaskRecovery().UsePostgreSql().Services.BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(() => provider.GetRequiredService<IQueueStore>());

        Assert.Contains("none is registered: pass a connection string, or register a data source", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_can_be_replaced_on_purpose()
    {
        var builder = new ServiceCollection().AddTaskRecovery().UsePostgreSql("Host=shop");

        builder.ReplaceStore().UsePostgreSql("Host=test").ReplaceStore().UseSqlite("Data Source=test.db");

        Assert.Single(builder.Services, static service => service.ServiceType == typeof(IQueueStore));
        Assert.Throws<InvalidOperationException>(() => builder.UsePostgreSql("Host=shop"));
    }

    [Fact]
    public void Monitor_of_a_replaced_store_does_not_read_from_the_application_s_replica()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("PostgreSql:Schema", "queues"), new("PostgreSql:MonitorConnectionString", "Host=configured")]).Build();
        var builder = new ServiceCollection().AddTaskRecovery(configuration)
            .UsePostgreSql("Host=shop", static options => options.MonitorConnectionString = "Host=replica");
        builder.UsePostgreSql("Host=shop");
        Assert.Equal("Host=replica", Options().MonitorConnectionString);

        builder.ReplaceStore().UsePostgreSql("Host=test");
        Assert.Equal("queues", Options().Schema);
        Assert.Null(Options().MonitorConnectionString);

        builder.ReplaceStore().UsePostgreSql("Host=test", static options => options.MonitorConnectionString = "Host=test-replica");
        builder.UsePostgreSql("Host=test");
        Assert.Equal("Host=test-replica", Options().MonitorConnectionString);

        PostgreSqlOptions Options()
        {
            using var services = builder.Services.BuildServiceProvider();
            return services.GetRequiredService<IOptions<PostgreSqlOptions>>().Value;
        }
    }

    [Fact]
    public async Task Job_for_which_there_is_only_a_worker_fails_the_start()
    {
        var error = await FailsToStartAsync(
            builder => builder.AddWorker<OtherArgs, OtherWorker>().AddIntervalJob("digest", TimeSpan.FromMinutes(1), new OtherArgs(1)));

        Assert.Contains("'digest'", error.Message, StringComparison.Ordinal);
        Assert.Contains("AddTaskHandler<OtherArgs, THandler>()", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Worker_whose_constructor_can_t_be_satisfied_fails_the_start()
    {
        var error = await FailsToStartAsync(builder => builder.AddWorker<TestArgs, TestWorker>());

        Assert.Contains("TestWorker can't be created: the parameter 'work' of its constructor is a "
            + "TaskRecovery.Tests.Support.TestWork", error.Message, StringComparison.Ordinal);
        Assert.Contains("Register TestWork", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Worker_that_needs_a_service_which_can_t_be_created_fails_the_start()
    {
        var error = await FailsToStartAsync(builder =>
        {
            builder.AddWorker<OtherArgs, NeedyWorker>();
            builder.Services.AddScoped<Needed>();
        });

        Assert.Contains("NeedyWorker can't be created, because it needs", error.Message, StringComparison.Ordinal);
        Assert.Contains("'work'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Worker_that_a_factory_makes_is_not_looked_into()
    {
        await using var host = await WorkHost.StartAsync(_store, builder =>
        {
            builder.AddWorker<TestArgs, TestWorker>(options => options.MaxAttempts = 2);
            builder.Services.AddScoped(_ => new TestWorker(new TestWork()));
        });

        var (id, _) = await host.Queue.EnqueueAsync(new TestArgs(), TestContext.Current.CancellationToken);
        await _store.UntilEnded(id);

        Assert.Equal(2, _store.Entry(id).Stored.MaxAttempts);
    }

    [Fact]
    public async Task Kind_whose_arguments_would_be_lost_fails_the_start()
    {
        var error = await FailsToStartAsync(builder => builder.AddKind<LossyArgs>("lossy"));

        Assert.Contains("the kind 'lossy' can't be stored", error.Message, StringComparison.Ordinal);
        Assert.Contains("LossyArgs.Anything", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StartupMode.WaitForStore)]
    [InlineData(StartupMode.FailFast)]
    public async Task Node_without_JSON_metadata_for_its_kinds_is_refused_at_start(StartupMode mode)
    {
        var error = await FailsToStartAsync(
            builder => builder.AddWorker<OtherArgs, OtherWorker>(),
            options =>
            {
                options.StartupMode = mode;
                options.Json = new JsonSerializerOptions { TypeInfoResolver = JsonTypeInfoResolver.Combine() };
            });

        Assert.Contains("'test.other'", error.Message, StringComparison.Ordinal);
        Assert.Contains("[JsonSerializable(typeof(OtherArgs))]", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Service_that_was_registered_earlier_may_enqueue_in_its_own_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton<IQueueStore>(_store).AddSingleton<IJobStore, NoJobs>();
        builder.Services.AddHostedService<EarlyEnqueuer>();
        builder.Services.AddTaskRecovery().AddKind<OtherArgs>();
        using var host = builder.Build();

        await host.StartAsync(TestContext.Current.CancellationToken);
        await host.StopAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, _store.PreparedBefore);
        Assert.Single(_store.Entries);
    }

    private async Task<InvalidOperationException> FailsToStartAsync(
        Action<TaskRecoveryBuilder> register, Action<TaskRecoveryOptions>? configure = null)
    {
        await using var host = WorkHost.Create(_store, register, configure);
        return await Assert.ThrowsAsync<InvalidOperationException>(host.StartAsync);
    }

    private sealed class EarlyEnqueuer(IJobQueue queue) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => queue.EnqueueAsync(new OtherArgs(1), cancellationToken).AsTask();

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class LossyArgs
    {
        public object? Anything { get; set; }
    }

    private sealed class Needed(TestWork work)
    {
        public TestWork Work => work;
    }

    private sealed class NeedyWorker(Needed needed) : IJobWorker<OtherArgs>
    {
        public Task WorkAsync(WorkContext<OtherArgs> context, CancellationToken cancellationToken)
            => needed.Work.Do(null!, cancellationToken);
    }
}
