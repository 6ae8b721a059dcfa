using Npgsql;
using TaskRecovery.PostgreSql.Tests.Store;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Server;

/// <summary>The store behind PgBouncer, as Debian has it.</summary>
public sealed class PoolerTests : PostgreSqlStoreTests
{
    private protected override bool StartMigrated => false;

    [Theory]
    [InlineData("")]
    [InlineData("ignore_startup_parameters = options")]
    public async Task In_session_mode_nothing_has_to_be_set_and_every_setting_is_there(string settings)
    {
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, "session", settings: settings);
        var database = Open(connectionString: pooler.ConnectionString);
        var store = await OpenStoreAsync(database);

        await WorksAsync(store, holdsLock: true);

        Assert.Equal("on off off force_generic_plan pg_catalog, pg_temp read committed 10s", await ReadSettingsAsync(database));
    }

    [Theory]
    [InlineData("transaction", 1)]
    [InlineData("transaction", 20)]
    [InlineData("statement", 20)]
    public async Task Session_locks_behind_shared_sessions_are_refused_with_the_remedy(string mode, int poolSize)
    {
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, mode, poolSize);

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(
            () => OpenStoreAsync(Open(connectionString: pooler.ConnectionString)));

        Assert.Contains("UseSessionLocks = false", exception.Message, StringComparison.Ordinal);
        Assert.False(await ScalarAsync<bool>("select exists (select from pg_namespace where nspname = 'taskrecovery')"));
    }

    [Fact]
    public async Task Shared_sessions_of_the_applications_data_source_are_found_too()
    {
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, "transaction");
        await using var shared = NpgsqlDataSource.Create(pooler.ConnectionString);
        using var theirs = new PostgreSqlDatabase(
            new PostgreSqlConnectionSource(null, shared), new PostgreSqlOptions { UseSessionLocks = false }, Lease);

        var exception = await Assert.ThrowsAsync<StoreConfigurationException>(() => OpenStoreAsync(theirs));

        Assert.Contains("UseNotifications = false", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task In_transaction_mode_with_the_remedy_everything_works_and_nothing_stays_in_a_session(int poolSize)
    {
        await using var pooler = await PgBouncer.StartAsync(ConnectionString, "transaction", poolSize);
        var store = await OpenStoreAsync(Open(
            options =>
            {
                options.UseSessionLocks = false;
                options.UseNotifications = false;
            },
            pooler.ConnectionString));

        await WorksAsync(store, holdsLock: false);

        await using var other = new NpgsqlConnection(pooler.ConnectionString + ";Pooling=false");
        await other.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            "select current_setting('search_path') || ' ' || current_setting('enable_seqscan')", other);
        Assert.Equal("\"$user\", public on", await command.ExecuteScalarAsync(Cancellation));
    }

    private static async Task WorksAsync(PostgreSqlQueueStore store, bool holdsLock)
    {
        using var node = store.OpenNodeSession();
        var identity = Identity();
        Assert.Equal(holdsLock, node.Register(identity).HoldsLock);
        Assert.True(node.SendHeartbeat(identity.Id, holdsLock).Accepted);
        await store.EnqueueAsync([Entry(), Entry(uniqueKey: "key")], null, Cancellation);
        var batch = await store.CreateClaimer(identity.Id, "default", ["test"]).ClaimAsync(10, default, Cancellation);
        Assert.Equal(2, batch.Entries.Count);
        node.Leave(identity.Id);
        Assert.Equal(2, (await store.SweepAsync(3, Cancellation)).Recovered);
        Assert.Empty(await store.CheckInvariantsAsync(Cancellation));
    }

    private static ValueTask<string> ReadSettingsAsync(PostgreSqlDatabase database) => database.ReadAsync(
        """
        select string_agg(current_setting(s.name), ' ' order by s.place)
            from unnest(array['synchronous_commit', 'enable_seqscan', 'jit', 'plan_cache_mode', 'search_path',
            'default_transaction_isolation', 'idle_in_transaction_session_timeout']) with ordinality s (name, place)
        """,
        [],
        static async (reader, token) =>
        {
            await reader.ReadAsync(token);
            return reader.GetString(0);
        },
        Cancellation);
}
