using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using TaskRecovery.Claims;
using TaskRecovery.Jobs;
using TaskRecovery.Kinds;
using TaskRecovery.Startup;
using TaskRecovery.Tests.Jobs;
using TaskRecovery.Tests.Support;
using TaskRecovery.Workers;

namespace TaskRecovery.Tests.Queue;

/// <summary>Kinds, options and the builder.</summary>
public sealed class RegistrationTests
{
    private readonly ServiceCollection _services = new();

    [Fact]
    public void A_kind_comes_from_the_attribute_or_from_the_registration()
    {
        var builder = _services.AddTaskRecovery();

        builder.AddWorker<TestArgs, TestWorker>().AddKind<OtherArgs>("another.name");

        Assert.Equal(["test.work", "another.name"], builder.Kinds().All.Select(kind => kind.Kind));
    }

    [Fact]
    public void The_same_registration_twice_is_one()
    {
        for (var i = 0; i < 2; i++)
        {
            _services.AddTaskRecovery().AddWorker<TestArgs, TestWorker>().AddQueue("mail", concurrency: 3).AddMiddleware<OuterMiddleware>();
        }

        Assert.Single(_services, service => service.ServiceType == typeof(MiddlewareRegistration));
        Assert.Single(_services, service => service.ServiceType == typeof(IJobQueue));
        Assert.Single(_services, service => service.ServiceType == typeof(WorkService));
        Assert.Single(_services.AddTaskRecovery().Kinds().All);
    }

    [Fact]
    public void A_kind_that_was_only_enqueued_can_get_a_worker()
    {
        var builder = _services.AddTaskRecovery().AddKind<TestArgs>().AddWorker<TestArgs, TestWorker>().AddKind<TestArgs>();

        Assert.Equal(typeof(TestWorker), Assert.Single(builder.Kinds().All).WorkerType);
    }

    [Fact]
    public void Two_workers_for_one_kind_are_an_error()
    {
        var builder = _services.AddTaskRecovery().AddWorker<TestArgs, TestWorker>();

        var exception = Assert.Throws<InvalidOperationException>(() => builder.AddWorker<TestArgs, SecondTestWorker>());

        Assert.Contains("'test.work' is registered twice", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_kind_for_two_types_is_an_error()
    {
        var builder = _services.AddTaskRecovery().AddKind<TestArgs>("same");

        Assert.Throws<InvalidOperationException>(() => builder.AddKind<OtherArgs>("same"));
    }

    [Fact]
    public void Two_kinds_for_one_type_are_an_error()
    {
        var builder = _services.AddTaskRecovery().AddKind<TestArgs>("one");

        var exception = Assert.Throws<InvalidOperationException>(() => builder.AddKind<TestArgs>("two"));

        Assert.Contains("ambiguous", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\0b")]
    public void A_kind_that_can_t_be_a_name_is_refused(string kind)
        => Assert.Throws<ArgumentException>(() => _services.AddTaskRecovery().AddKind<TestArgs>(kind));

    [Fact]
    public void A_type_without_a_kind_is_refused_and_the_message_says_what_to_do()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => _services.AddTaskRecovery().AddKind<RegistrationTests>());

        Assert.Contains("[JobKind(", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Worker_options_out_of_range_are_refused_at_registration()
    {
        var exception = Assert.Throws<ArgumentOutOfRangeException>(
            () => _services.AddTaskRecovery().AddWorker<TestArgs, TestWorker>(configure: options => options.MaxAttempts = 0));

        Assert.Contains("MaxAttempts", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_are_bound_from_configuration()
    {
        _services.AddTaskRecovery(Configuration(
            ("NodeName", "blue"), ("ShutdownTimeout", "00:00:07"), ("StartupMode", "failfast"),
            ("ServeDefaultQueue", "false"), ("Queues:mail:Concurrency", "7"),
            ("Queues:mail:Prefetch", "70"), ("Node:Lease", "00:00:20"), ("Recovery:MaxCrashes", "5"), ("Retention:Failed", "30.00:00:00")));

        var options = Options();

        Assert.Equal("blue", options.NodeName);
        Assert.Equal(TimeSpan.FromSeconds(7), options.ShutdownTimeout);
        Assert.Equal(StartupMode.FailFast, options.StartupMode);
        Assert.Equal(("mail", 7, 70), WorkService.ServedQueues(options).Select(
            queue => (queue.Name, queue.Options.Concurrency, queue.Options.Prefetch ?? 0)).Single());
        Assert.Equal(TimeSpan.FromSeconds(20), options.Node.Lease);
        Assert.Equal(5, options.Recovery.MaxCrashes);
        Assert.Equal(TimeSpan.FromDays(30), options.Retention.Failed);
    }

    [Theory]
    [InlineData("ShutdownTimout", "00:00:07", "which TaskRecovery does not know")]
    [InlineData("ShutdownTimout", "00:00:07", "known here are NodeName, StartupMode, ShutdownTimeout")]
    [InlineData("ShutdownTimeout", "soon", "a time span such as")]
    [InlineData("ShutdownTimeout", "20", "is '20', and a time span such as 00:00:20, or 1.00:00:00 for a day, is wanted")]
    [InlineData("Retention:Completed", "24:00:00", "is '24:00:00', and a time span such as 00:00:20, or 1.00:00:00 for a day, is wanted")]
    [InlineData("Retention:Completed", "48:00:00", "1.00:00:00 for a day")]
    [InlineData("Retention:Completed", "30:00", "1.00:00:00 for a day")]
    [InlineData("Retention:Completed", "1:02:03:04", "1.00:00:00 for a day")]
    [InlineData("Queues:mail:Size", "7", "known here are Concurrency, Prefetch")]
    [InlineData("Node", "fast", "a section is wanted")]
    [InlineData("Recovery:MaxCrashes", "many", "a whole number")]
    [InlineData("StartupMode", "Whatever", "WaitForStore or FailFast")]
    [InlineData("StartupMode", "1", "WaitForStore or FailFast")]
    [InlineData("StartupMode", "WaitForStore,FailFast", "WaitForStore or FailFast")]
    public void A_configuration_value_that_can_t_be_right_is_an_error(string key, string value, string message)
    {
        _services.AddTaskRecovery(Configuration((key, value)));

        var exception = Assert.Throws<InvalidOperationException>(Options);

        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1.00:00:00", 86_400)]
    [InlineData("23:59:59", 86_399)]
    [InlineData("00:20", 1200)]
    [InlineData("1.12:30", 131_400)]
    [InlineData("0:0:5", 5)]
    [InlineData("00:00:00.25", 0.25)]
    public void A_time_is_days_hours_minutes_and_seconds(string value, double seconds)
    {
        _services.AddTaskRecovery(Configuration(("Retention:Completed", value)));

        Assert.Equal(TimeSpan.FromSeconds(seconds), Options().Retention.Completed);
    }

    [Fact]
    public void Options_of_a_store_are_bound_and_every_one_of_them_can_be()
    {
        var builder = _services.AddTaskRecovery(Configuration(
            ("PostgreSql:Schema", "queues"), ("PostgreSql:CommandTimeout", "00:00:09"),
            ("Sqlite:Synchronous", "normal"), ("Sqlite:BusyTimeout", "00:00:08")));
        builder.UsePostgreSql("Host=localhost", options => options.UseNotifications = false);
        new ServiceCollection().AddTaskRecovery().UseSqlite("Data Source=tasks.db");

        var options = _services.BuildServiceProvider().GetRequiredService<IOptions<PostgreSqlOptions>>().Value;

        Assert.Equal(("queues", TimeSpan.FromSeconds(9), false), (options.Schema, options.CommandTimeout, options.UseNotifications));
    }

    [Theory]
    [InlineData("PostgreSql", typeof(PostgreSqlOptions))]
    [InlineData("Sqlite", typeof(SqliteOptions))]
    public void Name_that_a_store_does_not_know_is_refused_with_those_that_it_knows(string section, Type options)
    {
        var builder = _services.AddTaskRecovery(Configuration((section + ":Shema", "queues")));
        _ = options == typeof(PostgreSqlOptions) ? builder.UsePostgreSql("Host=localhost") : builder.UseSqlite("Data Source=tasks.db");
        using var services = _services.BuildServiceProvider();

        var error = Assert.Throws<InvalidOperationException>(() => options == typeof(PostgreSqlOptions)
            ? (object)services.GetRequiredService<IOptions<PostgreSqlOptions>>().Value
            : services.GetRequiredService<IOptions<SqliteOptions>>().Value);

        Assert.Contains($"'TaskRecovery:{section}:Shema'", error.Message, StringComparison.Ordinal);
        Assert.All(options.GetProperties(), property => Assert.Contains(property.Name, error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_code_wins_over_configuration_whatever_the_order_of_the_calls(bool isConfigurationLast)
    {
        if (isConfigurationLast)
        {
            Code();
        }

        _services.AddTaskRecovery(Configuration(("MaxArgsBytes", "1"), ("MaxResultBytes", "1"), ("Queues:mail:Concurrency", "1")));
        _services.AddTaskRecovery(Configuration(("MaxResultBytes", "2"), ("Queues:mail:Prefetch", "2")));
        if (!isConfigurationLast)
        {
            Code();
        }

        var options = Options();

        Assert.Equal((3, 2), (options.MaxArgsBytes, options.MaxResultBytes));
        Assert.Equal((3, 2), (options.Queues["mail"].Concurrency, options.Queues["mail"].Prefetch ?? 0));

        void Code() => _services.AddTaskRecovery(static options => options.MaxArgsBytes = 3).AddQueue("mail", concurrency: 3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Options_of_task_handlers_are_bound_by_kind_and_the_code_wins(bool isSetInCode)
    {
        _services.AddTaskRecovery(Configuration(("Workers:test.work:MaxAttempts", "3")))
            .AddTaskHandler<TestArgs, TestHandler>(options => options.MaxAttempts = isSetInCode ? 5 : options.MaxAttempts);
        using var services = _services.BuildServiceProvider();

        Assert.Equal(isSetInCode ? 5 : 3, services.GetRequiredService<TaskKinds>().Find(typeof(TestArgs)).Options.MaxAttempts);
        Assert.Equal(isSetInCode ? 5 : 3, services.GetRequiredService<KindRegistry>().Find("task:test.work")!.Options.MaxAttempts);
    }

    [Fact]
    public void Options_of_workers_are_bound_by_kind_and_the_code_wins()
    {
        _services.AddTaskRecovery(Configuration(
            ("Workers:test.work:MaxAttempts", "3"), ("Workers:test.work:Timeout", "00:01:00"), ("Workers:test.work:KeepRunLog", "true")))
            .AddWorker<TestArgs, TestWorker>(options => options.MaxAttempts = 5);

        var options = _services.BuildServiceProvider().GetRequiredService<KindRegistry>().Find("test.work")!.Options;

        Assert.Equal((5, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1)), (options.MaxAttempts, options.Timeout, options.RetryBase));
        Assert.True(options.KeepRunLog);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("false", false)]
    [InlineData("true", true)]
    [InlineData("maybe", false)]
    public void Log_lines_are_looked_at_if_the_configuration_keeps_those_of_a_kind(string? value, bool isEnabled)
    {
        _services.AddTaskRecovery().AddWorker<TestArgs, TestWorker>();
        _services.AddTaskRecovery(value is null ? Configuration() : Configuration(("Workers:test.work:KeepRunLog", value)));
        using var services = _services.AddLogging().BuildServiceProvider();
        var logger = Assert.Single(services.GetServices<ILoggerProvider>()).CreateLogger("category");

        var log = services.GetRequiredService<RunLogs>().Begin(entryId: 7, fence: 70);

        Assert.Equal(isEnabled, logger.IsEnabled(LogLevel.Information));
        services.GetRequiredService<RunLogs>().End(log);
    }

    [Theory]
    [InlineData("Workers:test.work:Attempts", "3", "known here are MaxAttempts, Timeout, RetryBase, RetryMax, KeepRunLog")]
    [InlineData("Workers:test.work:MaxAttempts", "0", "use 1 to 1,000")]
    [InlineData("Workers:test.wrok:MaxAttempts", "3", "known here are test.work")]
    [InlineData("Workers:mail.send:MaxAttempts", "3", "the kind 'mail.send' is not registered in this process")]
    [InlineData("Workers:mail.send:MaxAttempts", "3", "call AddKind<TArgs>() if this process only enqueues the kind")]
    public void Setting_of_a_worker_that_can_t_be_right_is_an_error(string key, string value, string message)
    {
        _services.AddTaskRecovery(Configuration((key, value))).AddWorker<TestArgs, TestWorker>();
        using var services = _services.AddLogging().BuildServiceProvider();

        var error = Assert.ThrowsAny<Exception>(() =>
        {
            services.GetRequiredService<KindRegistry>();
            services.GetRequiredService<SetupCheck>().Check();
        });

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_name_the_property_its_value_and_the_remedy()
    {
        _services.AddTaskRecovery(options =>
        {
            options.Node.Grace = TimeSpan.FromSeconds(1);
            options.Recovery.MaxCrashes = 0;
            options.Queues["mail"] = new QueueOptions { Concurrency = 0 };
            options.Queues["\0"] = new QueueOptions();
        });

        var exception = Assert.Throws<OptionsValidationException>(Options);

        Assert.Collection(
            exception.Failures.Order(StringComparer.Ordinal),
            failure => Assert.Contains(
                "Node.Grace is '00:00:01': use at least two heartbeat intervals and 0.5 s (00:00:02.5000000)",
                failure, StringComparison.Ordinal),
            failure => Assert.Contains(
                "a NUL character, which databases can't store as text: remove it", failure, StringComparison.Ordinal),
            failure => Assert.Contains("Queues[mail].Concurrency is '0': use 1 to 10,000", failure, StringComparison.Ordinal),
            failure => Assert.Contains("Recovery.MaxCrashes is '0': use 1 to 10", failure, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DEFAULT", "default")]
    [InlineData("Mail", "mail")]
    public void Queues_that_differ_only_by_case_are_refused_with_both_names(string configured, string served)
    {
        _services.AddTaskRecovery(Configuration(($"Queues:{configured}:Concurrency", "2"))).AddQueue("mail");

        var exception = Assert.Throws<OptionsValidationException>(Options);

        Assert.Contains($"Queues is '{configured}' and '{served}'", Assert.Single(exception.Failures), StringComparison.Ordinal);
        Assert.Contains("serve both with AddQueue", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Queues_of_the_code_may_differ_by_case(bool isOneConfigured)
    {
        (string Key, string Value)[] configured = isOneConfigured ? [("Queues:MAIL:Concurrency", "2")] : [];
        _services.AddTaskRecovery(Configuration(configured)).AddQueue("MAIL").AddQueue("mail", concurrency: 1).AddQueue("Default");

        var queues = Options().Queues;

        Assert.Equal(["Default", "MAIL", "mail"], queues.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((isOneConfigured ? 2 : 20, 1), (queues["MAIL"].Concurrency, queues["mail"].Concurrency));
    }

    [Fact]
    public void A_queue_is_not_compared_with_the_default_queue_if_that_is_not_served()
    {
        _services.AddTaskRecovery(Configuration(("Queues:DEFAULT:Concurrency", "2"), ("ServeDefaultQueue", "false")));

        Assert.Equal("DEFAULT", Assert.Single(Options().Queues).Key);
    }

    [Fact]
    public async Task A_host_with_bad_options_does_not_start()
    {
        await using var host = WorkHost.Create(new FakeQueueStore(), _ => { }, options => options.MaxArgsBytes = 0);

        await Assert.ThrowsAsync<OptionsValidationException>(host.StartAsync);
    }

    private TaskRecoveryOptions Options() => _services.BuildServiceProvider().GetRequiredService<IOptions<TaskRecoveryOptions>>().Value;

    private static IConfigurationSection Configuration(params (string Key, string Value)[] values)
        => new ConfigurationBuilder()
            .AddInMemoryCollection(values.Select(value => KeyValuePair.Create<string, string?>("TaskRecovery:" + value.Key, value.Value)))
            .Build()
            .GetSection("TaskRecovery");
}
