using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Children;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>The stores by name.</summary>
internal static class BenchmarkStores
{
    public static async Task<IBenchmarkStore> StartAsync(string store)
        => IsPostgres(store) ? await PostgresBenchmarkStore.StartAsync() : new SqliteBenchmarkStore();

    public static void Use(TaskRecoveryBuilder builder, string store, string connectionString)
    {
        if (IsPostgres(store))
        {
            builder.UsePostgreSql(connectionString);
        }
        else
        {
            builder.UseSqlite(connectionString);
        }
    }

    public static ITransactions Transactions(string store, string connectionString)
        => IsPostgres(store) ? new PostgresTransactions(connectionString) : new SqliteTransactions(connectionString);

    public static IDrainFloor DrainFloor(ChildSpec spec)
        => IsPostgres(spec.Store) && !spec.ThroughStore ? new PostgresDrainFloor(spec) : new StoreDrainFloor(spec);

    public static IEnqueueFloor EnqueueFloor(ChildSpec spec)
        => IsPostgres(spec.Store) && !spec.ThroughStore ? new PostgresEnqueueFloor(spec) : new StoreEnqueueFloor(spec);

    private static bool IsPostgres(string store) => store == "postgres";
}
