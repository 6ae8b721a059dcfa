using System.Data.Common;
using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;
using TaskRecovery.TestSupport;

namespace TaskRecovery.PostgreSql.Tests.Conformance;

/// <summary>A PostgreSQL store in a database of its own.</summary>
/// <param name="useSessionLocks">Without them, as behind a transaction pooler, the lease alone decides.</param>
public sealed class PostgreSqlFixture(bool useSessionLocks = true) : StoreFixture
{
    // Needs quoting, as a user's schema may. It has the same name in each database, so that each can be a copy of one template.
    private const string SchemaName = "The \"schema\"";

    private readonly List<ServiceProvider> _stores = [];
    private PostgresDatabase? _database;
    private NpgsqlDataSource? _behind;

    public override IQueueStore Queue => _stores[0].GetRequiredService<IQueueStore>();

    public override IJobStore Jobs => _stores[0].GetRequiredService<IJobStore>();

    public override IMonitorStore Monitor => _stores[0].GetRequiredService<IMonitorStore>();

    public override IOperationStore Operations => _stores[0].GetRequiredService<IOperationStore>();

    public override IRunInfoStore RunInfo => _stores[0].GetRequiredService<IRunInfoStore>();

    public override IStoreMigrator Migrator => _stores[0].GetRequiredService<IStoreMigrator>();

    /// <summary>The database of the store.</summary>
    internal PostgreSqlDatabase Inside => _stores[0].GetRequiredService<PostgreSqlDatabase>();

    private NpgsqlDataSource Behind => _behind ?? throw new InvalidOperationException("The store has not been created.");

    /// <summary>The schema as a user spells it.</summary>
    public string Schema => SchemaName;

    /// <summary>The connection string of the database.</summary>
    public string ConnectionString => Database.ConnectionString;

    /// <summary>The schema as it stands in a statement.</summary>
    public string QuotedSchema => PostgreSqlDatabase.Quote(SchemaName);

    private PostgresDatabase Database => _database ?? throw new InvalidOperationException("The store has not been created.");

    public override async Task CreateAsync(bool migrate, CancellationToken cancellationToken)
    {
        _database = migrate
            ? await MigratedDatabase.CreateAsync("conformance", SchemaName)
            : await (await PostgresServer.SharedAsync()).CreateDatabaseAsync("conformance");
        _behind = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(ConnectionString) { SearchPath = QuotedSchema, MaxPoolSize = 4, IncludeErrorDetail = true });
        Open();
    }

    public override IQueueStore OpenAnother() => Open().GetRequiredService<IQueueStore>();

    public override IOperationStore OpenAnotherOperations() => Open().GetRequiredService<IOperationStore>();

    public override async Task<DbConnection> OpenConnectionAsync(CancellationToken cancellationToken)
        => await Behind.OpenConnectionAsync(cancellationToken);

    public override async Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken)
    {
        await using var command = Behind.CreateCommand("select clock_timestamp()");
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(cancellationToken))!);
    }

    // In two steps: a unique index is checked row by row, so that a due time could meet the one that is about to be shifted away.
    public override Task ShiftTimeAsync(TimeSpan age, CancellationToken cancellationToken) => ExecuteAsync(
        """
        do $$
        declare t record;
        begin
            for t in select c.relname, string_agg(format('%1$I = %1$I - interval ''10000 days''', a.attname), ', ') as away,
                string_agg(format('%1$I = %1$I + interval ''10000 days'' - interval ''$age seconds''', a.attname), ', ') as back
                from pg_attribute a join pg_class c on c.oid = a.attrelid
                where c.relnamespace = (select oid from pg_namespace where nspname = current_schema()) and c.relkind = 'r' and a.attnum > 0
                    and a.atttypid in (
                        select y.oid from pg_type y where 'timestamptz'::regtype in (y.oid, y.typbasetype))
                group by c.relname
            loop
                execute format('update %I set %s', t.relname, t.away);
                execute format('update %I set %s', t.relname, t.back);
            end loop;
        end $$
        """.Replace("$age", age.TotalSeconds.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal),
        cancellationToken);

    public override Task CorruptAsync(Corruption corruption, long entryId, CancellationToken cancellationToken) => ExecuteAsync(
        corruption switch
        {
            Corruption.WaitingLost => $"delete from waiting where id = {entryId}",
            Corruption.RunningAndWaiting or Corruption.EndedAndWaiting
                => "insert into waiting (run_at, id, queue, kind, priority) select now(), id, queue, kind, priority from entries "
                    + $"where id = {entryId}",
            Corruption.ClaimLost => $"update claims set entries = array_remove(entries, {entryId}) where {entryId} = any(entries)",
            Corruption.RunningTwice => $"insert into claims (id, node, entries) select nextval('fences'), node, array[{entryId}] "
                + $"from claims where {entryId} = any(entries)",
            Corruption.WaitingAndEnded
                => "insert into outcomes (entry, fence, duration_ms, kind, attempt, crashes, final) "
                    + $"values ({entryId}, nextval('fences'), 0, 0, 1, 0, true)",
            Corruption.NameLost
                => $"update entries set queue = 4711 where id = {entryId}; update waiting set queue = 4711 where id = {entryId}",
            Corruption.WaitingElsewhere => $"update waiting set queue = 4711 where id = {entryId}",
            Corruption.EntryLost => $"delete from entries where id = {entryId}",
            _ => throw new ArgumentOutOfRangeException(nameof(corruption)),
        },
        cancellationToken);

    public override Task DetachTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => ExecuteAsync($"update tasks set entry_id = null where id = '{taskId}'", cancellationToken);

    public override Task SetJobAsync(string name, string column, string value, CancellationToken cancellationToken)
        => ExecuteAsync($"update jobs set {column} = {value} where name = '{name}'", cancellationToken);

    public override Task SetOperationAsync(long operationId, string column, string value, CancellationToken cancellationToken)
        => ExecuteAsync($"update operations set {column} = {value} where id = {operationId}", cancellationToken);

    public override Task AddFutureMigrationAsync(CancellationToken cancellationToken) => ExecuteAsync(
        "insert into taskrecovery_migrations (version, name, checksum, oldest_library) values (9999, '9999_future', 'x', '9999.0.0')",
        cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        if (_behind is not null)
        {
            await _behind.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    private ServiceProvider Open()
    {
        var services = new ServiceCollection();
        services.AddLogging();

        // A busy machine may stop a statement for longer than the product allows; no test of the rules is about these limits. The server
        // ends a transaction that stands still for two thirds of the lease.
        services.AddTaskRecovery(static options => options.Node.Lease = TimeSpan.FromMinutes(10)).UsePostgreSql(
            ConnectionString,
            options =>
            {
                options.Schema = SchemaName;
                options.UseSessionLocks = useSessionLocks;
                options.CommandTimeout = TimeSpan.FromMinutes(5);
            });
        var store = services.BuildServiceProvider();
        _stores.Add(store);
        store.GetRequiredService<PostgreSqlDatabase>().WithPatience();
        ((PostgreSqlQueueStore)store.GetRequiredService<IQueueStore>()).WithPatience();
        ((PostgreSqlJobStore)store.GetRequiredService<IJobStore>()).WithPatience();
        ((PostgreSqlOperationStore)store.GetRequiredService<IOperationStore>()).WithPatience();
        return store;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = Behind.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
