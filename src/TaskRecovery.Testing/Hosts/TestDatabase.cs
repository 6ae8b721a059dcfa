using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using TaskRecovery.Sqlite;

namespace TaskRecovery.Testing.Hosts;

/// <summary>The temporary database of one host. Checks that every service of the store belongs to it, because one of the application's
/// store would read or change the production database.</summary>
internal sealed class TestDatabase
{
    private readonly ConcurrentDictionary<Type, bool> _created = new();

    /// <summary>Registers the services of the store. They replace those of the application's store.</summary>
    public static void Use(IServiceCollection services, TimeSpan busyTimeout)
    {
        services.Replace(ServiceDescriptor.Singleton<TestDatabase, TestDatabase>());
        services.Replace(ServiceDescriptor.Singleton<TestFolder, TestFolder>());
        services.Replace(ServiceDescriptor.Singleton<TestTables, TestTables>());
        SqliteStoreServices.Replace(services, provider => Open(provider, busyTimeout));
        foreach (var contract in SqliteStoreServices.Contracts)
        {
            Watch(services, contract);
        }
    }

    /// <summary>Checks the services of the store. If the application wraps one, what it wraps has to belong to this database.</summary>
    /// <exception cref="InvalidOperationException">One of them belongs to another store.</exception>
    public void Check(IServiceProvider provider)
    {
        foreach (var contract in SqliteStoreServices.Contracts)
        {
            var service = provider.GetRequiredService(contract);
            if (!_created.ContainsKey(contract))
            {
                throw new InvalidOperationException(
                    $"{contract.Name} is a {service.GetType()} of another store than the test's, because a store was set up after "
                    + "AddTaskRecoveryTesting. Call AddTaskRecoveryTesting after UsePostgreSql or UseSqlite, for example in "
                    + $"ConfigureTestServices, or set {nameof(TaskRecoveryTestingOptions)}.{nameof(TaskRecoveryTestingOptions.Store)} to "
                    + $"{nameof(TestStore)}.{nameof(TestStore.Keep)} to use the application's store.");
            }
        }
    }

    private static void Watch(IServiceCollection services, Type contract)
    {
        var create = services.Last(service => service.ServiceType == contract && !service.IsKeyedService).ImplementationFactory!;
        services.Replace(ServiceDescriptor.Singleton(contract, provider =>
        {
            provider.GetRequiredService<TestDatabase>()._created[contract] = true;
            return create(provider);
        }));
    }

    private static SqliteDatabase Open(IServiceProvider provider, TimeSpan busyTimeout)
    {
        // The folder and the database are disposed before this one.
        _ = provider.GetRequiredService<LastError>();
        var path = provider.GetRequiredService<TestFolder>().DatabasePath;
        TemplateDatabase.CopyTo(path);

        // A test does not survive a power failure, so no commit waits for the disk.
        return new SqliteDatabase(
            $"Data Source={path}",
            new SqliteOptions { Synchronous = SqliteSynchronous.Normal, MigrateOnStart = false, BusyTimeout = busyTimeout },
            provider.GetRequiredService<TestClock>(),
            provider.GetService<ILogger<SqliteDatabase>>());
    }
}
