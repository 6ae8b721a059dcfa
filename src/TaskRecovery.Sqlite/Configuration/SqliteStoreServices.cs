using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>The services of a store in a SQLite file.</summary>
internal static class SqliteStoreServices
{
    /// <summary>The services that the engine and the application ask a store for.</summary>
    public static IReadOnlyList<Type> Contracts { get; } =
    [
        typeof(IQueueStore), typeof(IJobStore), typeof(IMonitorStore), typeof(IRunInfoStore), typeof(IOperationStore),
        typeof(IStoreMigrator), typeof(IStoreDoctor),
    ];

    /// <summary>Registers every service of a store, so that none of another store remains.</summary>
    /// <param name="services">The services of an instance of TaskRecovery.</param>
    /// <param name="database">Creates the database.</param>
    public static void Replace(IServiceCollection services, Func<IServiceProvider, SqliteDatabase> database)
    {
        services.Replace(ServiceDescriptor.Singleton(database));
        services.Replace(ServiceDescriptor.Singleton(static provider => new SqliteMigrator(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IStoreMigrator>(static provider => provider.GetRequiredService<SqliteMigrator>()));
        services.Replace(ServiceDescriptor.Singleton<IStoreDoctor>(
            static provider => new SqliteDoctor(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IQueueStore>(static provider => new SqliteQueueStore(
            provider.GetRequiredService<SqliteDatabase>(),
            provider.GetRequiredService<SqliteMigrator>(),
            provider.GetRequiredService<SqliteMonitorStore>())));
        services.Replace(ServiceDescriptor.Singleton<IJobStore>(
            static provider => new SqliteJobStore(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton(
            static provider => new SqliteMonitorStore(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IMonitorStore>(static provider => provider.GetRequiredService<SqliteMonitorStore>()));
        services.Replace(ServiceDescriptor.Singleton<IRunInfoStore>(
            static provider => new SqliteRunInfoStore(provider.GetRequiredService<SqliteDatabase>())));
        services.Replace(ServiceDescriptor.Singleton<IOperationStore>(static provider => new SqliteOperationStore(
            provider.GetRequiredService<SqliteDatabase>(),
            provider.GetRequiredService<SqliteMonitorStore>())));
    }
}
