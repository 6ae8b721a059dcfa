using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using TaskRecovery.Instances;

namespace TaskRecovery.Tests.Configuration;

/// <summary>Options that the application binds to configuration itself would lack half of it.</summary>
public sealed class OwnBindingTests
{
    private readonly ServiceCollection _services = new();

    [Fact]
    public void Options_that_are_configured_with_a_section_are_refused()
    {
        _services.AddTaskRecovery();
        _services.Configure<TaskRecoveryOptions>(Section("MaxArgsBytes", "5"));

        AssertRefused<TaskRecoveryOptions>(_services);
    }

    [Fact]
    public void Options_that_are_bound_to_a_section_are_refused()
    {
        _services.AddTaskRecovery();
        _services.AddOptions<TaskRecoveryOptions>().Bind(Section("MaxArgsBytes", "5"));

        AssertRefused<TaskRecoveryOptions>(_services);
    }

    [Fact]
    public void Options_of_PostgreSql_are_refused_too()
    {
        _services.AddTaskRecovery().UsePostgreSql("Host=localhost");
        _services.Configure<PostgreSqlOptions>(Section("Schema", "queues"));

        AssertRefused<PostgreSqlOptions>(_services);
    }

    [Fact]
    public void Options_of_Sqlite_are_refused_too()
    {
        _services.AddTaskRecovery().UseSqlite("Data Source=tasks.db");
        _services.Configure<SqliteOptions>(Section("BusyTimeout", "00:00:05"));

        AssertRefused<SqliteOptions>(_services);
    }

    [Fact]
    public void Options_of_a_named_instance_are_refused_too()
    {
        _services.AddTaskRecovery("reports").InstanceServices.Configure<TaskRecoveryOptions>(Section("MaxArgsBytes", "5"));

        AssertRefused<TaskRecoveryOptions>(_services, "reports");
    }

    [Theory]
    [InlineData("")]
    [InlineData("reports")]
    public void Options_of_the_application_are_refused_because_a_named_instance_has_its_own(string name)
    {
        _services.AddTaskRecovery("reports").UseSqlite("Data Source=tasks.db");
        _services.Configure<TaskRecoveryOptions>(name, Section("MaxArgsBytes", "5"));
        _services.Configure<SqliteOptions>(name, Section("BusyTimeout", "00:00:05"));

        AssertRefused<TaskRecoveryOptions>(_services, "reports");
        AssertRefused<SqliteOptions>(_services, "reports");
    }

    [Fact]
    public void Options_with_another_name_are_not_those_of_TaskRecovery()
    {
        _services.AddTaskRecovery();
        _services.AddTaskRecovery("reports");
        _services.Configure<TaskRecoveryOptions>("mine", Section("MaxArgsBytes", "5"));
        using var provider = _services.BuildServiceProvider();

        Assert.Equal(new TaskRecoveryOptions().MaxArgsBytes, Options<TaskRecoveryOptions>(provider, null).MaxArgsBytes);
        Assert.Equal(new TaskRecoveryOptions().MaxArgsBytes, Options<TaskRecoveryOptions>(provider, "reports").MaxArgsBytes);
    }

    [Fact]
    public void A_section_for_AddTaskRecovery_and_a_delegate_are_accepted()
    {
        _services.AddTaskRecovery(Section("MaxArgsBytes", "5"));
        _services.Configure<TaskRecoveryOptions>(static options => options.MaxResultBytes = 6);
        using var provider = _services.BuildServiceProvider();

        var options = provider.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value;

        Assert.Equal((5, 6), (options.MaxArgsBytes, options.MaxResultBytes));
    }

    private static void AssertRefused<TOptions>(IServiceCollection services, string? instance = null)
        where TOptions : class
    {
        using var provider = services.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(() => Options<TOptions>(provider, instance));

        var failure = Assert.Single(refused.Failures);
        Assert.Contains($"services.Configure<{typeof(TOptions).Name}>(section)", failure, StringComparison.Ordinal);
        Assert.Contains(
            instance is null ? "AddTaskRecovery(section)" : $"AddTaskRecovery(\"{instance}\", section)", failure, StringComparison.Ordinal);
    }

    private static TOptions Options<TOptions>(IServiceProvider provider, string? instance)
        where TOptions : class
        => (instance is null ? provider : NamedInstance.Of(provider, instance).Services).GetRequiredService<IOptions<TOptions>>().Value;

    private static IConfigurationSection Section(string key, string value)
        => new ConfigurationBuilder().AddInMemoryCollection([new("TaskRecovery:" + key, value)]).Build().GetSection("TaskRecovery");
}
