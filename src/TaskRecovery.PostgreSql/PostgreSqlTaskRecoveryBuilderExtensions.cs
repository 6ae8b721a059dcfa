using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Npgsql;
using TaskRecovery;
using TaskRecovery.Configuration;
using TaskRecovery.PostgreSql;
using TaskRecovery.Storage;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the store in PostgreSQL.</summary>
public static class PostgreSqlTaskRecoveryBuilderExtensions
{
    /// <summary>Stores the queue in the database of a connection string. The library creates a connection pool of its own from it and adds
    /// the settings that a queue needs; settings in the string take precedence.</summary>
    /// <param name="builder">The builder that <c>AddTaskRecovery</c> returned.</param>
    /// <param name="connectionString">A connection string for Npgsql.</param>
    /// <param name="configure">Changes the options. It may be omitted.</param>
    /// <exception cref="ArgumentException">The connection string is null or empty.</exception>
    /// <exception cref="InvalidOperationException">Another store or another database was selected before.</exception>
    public static TaskRecoveryBuilder UsePostgreSql(
        this TaskRecoveryBuilder builder, string connectionString, Action<PostgreSqlOptions>? configure = null)
    {
        EmptyConnectionString.Refuse(connectionString, nameof(UsePostgreSql));
        return Add(builder, connectionString, _ => new PostgreSqlConnectionSource(connectionString, null), configure);
    }

    /// <summary>Stores the queue in the database of the <see cref="NpgsqlDataSource"/> that the application registered; for a named
    /// instance, of the one that is registered with its name as the key, if there is one. Its pool has to be large enough for a node's
    /// session, the listener and a few statements at once.</summary>
    /// <param name="builder">The builder that <c>AddTaskRecovery</c> returned.</param>
    /// <param name="configure">Changes the options. It may be omitted.</param>
    /// <exception cref="InvalidOperationException">Another store or another database was selected before.</exception>
    public static TaskRecoveryBuilder UsePostgreSql(this TaskRecoveryBuilder builder, Action<PostgreSqlOptions>? configure = null)
        => Add(builder, null, services => new PostgreSqlConnectionSource(null, FindDataSource(services, builder.Name)), configure);

    private static NpgsqlDataSource FindDataSource(IServiceProvider services, string? instance)
    {
        var application = TaskRecoveryBuilder.ApplicationOf(services);
        return (instance is null ? null : application.GetKeyedService<NpgsqlDataSource>(instance))
            ?? application.GetService<NpgsqlDataSource>()
            ?? throw new InvalidOperationException(
                "UsePostgreSql() without a connection string uses the NpgsqlDataSource of the application, and none is registered: pass a "
                + "connection string, or register a data source, as in services.AddSingleton(NpgsqlDataSource.Create(connectionString)).");
    }

    private static TaskRecoveryBuilder Add(
        TaskRecoveryBuilder builder, string? connectionString, Func<IServiceProvider, PostgreSqlConnectionSource> source,
        Action<PostgreSqlOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var isReplacement = builder.SetStore("UsePostgreSql", connectionString);
        var services = builder.InstanceServices;
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostgreSqlOptions>, PostgreSqlOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostgreSqlOptions>, OwnBindingValidator<PostgreSqlOptions>>(
            provider => new OwnBindingValidator<PostgreSqlOptions>(provider, builder.Name)));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<PostgreSqlOptions>, PostgreSqlOptionsBinder>());
        var options = services.AddOptions<PostgreSqlOptions>().ValidateOnStart();
        if (isReplacement)
        {
            // A test's monitor must not read from a replica of the database that was replaced.
            options.Configure(static replaced => replaced.MonitorConnectionString = null);
        }

        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.TryAddSingleton(TimeProvider.System);
        services.Replace(ServiceDescriptor.Singleton(source));
        services.Replace(ServiceDescriptor.Singleton(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<TaskRecoveryOptions>>().Value;
            return new PostgreSqlDatabase(
                provider.GetRequiredService<PostgreSqlConnectionSource>(),
                provider.GetRequiredService<IOptions<PostgreSqlOptions>>().Value,
                options.Node.Lease,
                options.Queues.Count + (options.ServeDefaultQueue ? 1 : 0));
        }));
        services.Replace(ServiceDescriptor.Singleton<IStoreMigrator>(
            provider => new PostgreSqlMigrator(provider.GetRequiredService<PostgreSqlDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IStoreDoctor>(provider => new PostgreSqlDoctor(
            provider.GetRequiredService<PostgreSqlDatabase>(),
            provider.GetRequiredService<TimeProvider>())));
        services.Replace(ServiceDescriptor.Singleton<IQueueStore>(provider => new PostgreSqlQueueStore(
            provider.GetRequiredService<PostgreSqlDatabase>(),
            provider.GetRequiredService<TimeProvider>())));
        services.Replace(ServiceDescriptor.Singleton<IJobStore>(provider => new PostgreSqlJobStore(
            provider.GetRequiredService<PostgreSqlDatabase>(),
            (PostgreSqlQueueStore)provider.GetRequiredService<IQueueStore>())));
        services.Replace(ServiceDescriptor.Singleton<IMonitorStore>(
            provider => new PostgreSqlMonitorStore(provider.GetRequiredService<PostgreSqlDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IRunInfoStore>(
            provider => new PostgreSqlRunInfoStore(provider.GetRequiredService<PostgreSqlDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IOperationStore>(provider => new PostgreSqlOperationStore(
            provider.GetRequiredService<PostgreSqlDatabase>(),
            (PostgreSqlQueueStore)provider.GetRequiredService<IQueueStore>())));
        return builder;
    }
}
