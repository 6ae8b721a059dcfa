using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Storage;
using TaskRecovery.StoreConformance;

namespace TaskRecovery.Sqlite.Tests.Conformance;

/// <summary>A SQLite store in a file of its own.</summary>
public sealed class SqliteFixture : StoreFixture
{
    // 10,000 days in microseconds.
    private const long Away = 864_000_000_000_000;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("taskrecovery-");
    private readonly List<ServiceProvider> _stores = [];

    public override IQueueStore Queue => _stores[0].GetRequiredService<IQueueStore>();

    public override IJobStore Jobs => _stores[0].GetRequiredService<IJobStore>();

    public override IMonitorStore Monitor => _stores[0].GetRequiredService<IMonitorStore>();

    public override IOperationStore Operations => _stores[0].GetRequiredService<IOperationStore>();

    public override IRunInfoStore RunInfo => _stores[0].GetRequiredService<IRunInfoStore>();

    public override IStoreMigrator Migrator => _stores[0].GetRequiredService<IStoreMigrator>();

    // A name that needs quoting, as a user's file may have.
    private string ConnectionString
        => new SqliteConnectionStringBuilder { DataSource = Path.Combine(_directory.FullName, "it's a \"queue\".db") }.ConnectionString;

    public override async Task CreateAsync(bool migrate, CancellationToken cancellationToken)
    {
        Open();
        if (migrate)
        {
            await Migrator.MigrateAsync(cancellationToken);
        }
    }

    public override IQueueStore OpenAnother() => Open().GetRequiredService<IQueueStore>();

    public override IOperationStore OpenAnotherOperations() => Open().GetRequiredService<IOperationStore>();

    public override async Task<DbConnection> OpenConnectionAsync(CancellationToken cancellationToken)
    {
        var connection = new SqliteConnection(ConnectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    protected override string TableName(string table) => "taskrecovery_" + table;

    public override Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken)
        => Task.FromResult(TimeProvider.System.GetUtcNow());

    public override async Task ShiftTimeAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var micros = age.Ticks / TimeSpan.TicksPerMicrosecond;
        var changes = new List<string>();
        await using var connection = await OpenConnectionAsync(cancellationToken);
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = """
                select t.name, group_concat(c.name) from sqlite_schema t join pragma_table_info(t.name) c
                where t.type = 'table' and t.name like 'taskrecovery%' and c.name like '%\_at' escape '\' group by t.name
                """;
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
            {
                // In two steps: a due time must not become that of another row which is changed later.
                var (table, columns) = (reader.GetString(0), reader.GetString(1).Split(','));
                changes.Add($"update {table} set {string.Join(", ", columns.Select(column => $"{column} = {column} - {Away}"))}");
                changes.Add(
                    $"update {table} set {string.Join(", ", columns.Select(column => $"{column} = {column} + {Away} - {micros}"))}");
            }
        }

        await ExecuteAsync(connection, string.Join(';', changes), cancellationToken);
    }

    public override Task CorruptAsync(Corruption corruption, long entryId, CancellationToken cancellationToken) => ExecuteAsync(
        corruption switch
        {
            Corruption.WaitingLost => $"delete from taskrecovery_waiting where id = {entryId}",
            Corruption.RunningAndWaiting or Corruption.EndedAndWaiting
                => "insert into taskrecovery_waiting (id, queue, kind, priority, run_at) select id, queue, kind, priority, created_at "
                    + $"from taskrecovery_entries where id = {entryId}",
            Corruption.ClaimLost
                => $"delete from taskrecovery_claims where exists (select 1 from json_each(entries) where value = {entryId})",
            Corruption.RunningTwice
                => "insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) "
                    + $"select claimed_at, node, '[{entryId}]', '[0]', '[0]' "
                    + $"from taskrecovery_claims where exists (select 1 from json_each(entries) where value = {entryId})",
            Corruption.WaitingAndEnded
                => "insert into taskrecovery_outcomes (entry, fence, ended_at, duration, kind, attempt, crashes, final) "
                    + $"values ({entryId}, 999999, 0, 0, 0, 1, 0, 1)",
            Corruption.NameLost => "pragma foreign_keys = off; update taskrecovery_entries set queue = 4711 "
                + $"where id = {entryId}; update taskrecovery_waiting set queue = 4711 where id = {entryId}",
            Corruption.WaitingElsewhere => $"update taskrecovery_waiting set queue = 4711 where id = {entryId}",
            Corruption.EntryLost => $"pragma foreign_keys = off; delete from taskrecovery_entries where id = {entryId}",
            _ => throw new ArgumentOutOfRangeException(nameof(corruption)),
        },
        cancellationToken);

    public override Task DetachTaskAsync(Guid taskId, CancellationToken cancellationToken)
        => ExecuteAsync(
            $"update taskrecovery_tasks set entry_id = null where id = x'{Convert.ToHexString(taskId.ToByteArray(bigEndian: true))}'",
            cancellationToken);

    public override Task SetJobAsync(string name, string column, string value, CancellationToken cancellationToken)
        => ExecuteAsync($"update taskrecovery_jobs set {column} = {value} where name = '{name}'", cancellationToken);

    public override Task SetOperationAsync(long operationId, string column, string value, CancellationToken cancellationToken)
        => ExecuteAsync($"update taskrecovery_operations set {column} = {value} where id = {operationId}", cancellationToken);

    public override Task AddFutureMigrationAsync(CancellationToken cancellationToken) => ExecuteAsync(
        "insert into taskrecovery_migrations (version, name, checksum, oldest_library, applied_at) "
        + "values (9999, '9999_future', 'x', '9999.0.0', 0)",
        cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }

        await using (var connection = new SqliteConnection(ConnectionString))
        {
            SqliteConnection.ClearPool(connection);
        }

        _directory.Delete(recursive: true);
    }

    private ServiceProvider Open()
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTaskRecovery().UseSqlite(ConnectionString);
        var store = services.BuildServiceProvider();

        // As long as a machine may stand still.
        var database = store.GetRequiredService<SqliteDatabase>();
        (database.HeartbeatWait, database.VerdictWait) = (TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
        _stores.Add(store);
        return store;
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, sql, cancellationToken);
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        var rows = await command.ExecuteNonQueryAsync(cancellationToken);
        Assert.NotEqual(0, rows);
    }
}
