using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>Files in a temporary folder.</summary>
internal sealed class SqliteBenchmarkStore : IBenchmarkStore
{
    private readonly string _folder = Directory.CreateTempSubdirectory("taskrecovery-bench-").FullName;

    public string Name => "sqlite";

    public string FloorName => StoreFloors.Name;

    public async Task<string> DescribeAsync()
    {
        await using var connection = new SqliteConnection("Data Source=:memory:");
        await connection.OpenAsync();
        return $"SQLite {connection.ServerVersion}, WAL, synchronous full";
    }

    public async Task<IBenchmarkDatabase> CreateAsync()
    {
        var database = new SqliteBenchmarkDatabase(Path.Combine(_folder, $"{Guid.NewGuid():n}.db"));
        await database.UseStoreAsync(store => store.PrepareAsync(CancellationToken.None));
        return database;
    }

    public async Task<IBenchmarkDatabase> CopyAsync(IBenchmarkDatabase template)
    {
        await template.SettleAsync();
        var database = new SqliteBenchmarkDatabase(Path.Combine(_folder, $"{Guid.NewGuid():n}.db"));
        File.Copy(((SqliteBenchmarkDatabase)template).Path, database.Path);
        return database;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>One file.</summary>
internal sealed class SqliteBenchmarkDatabase(string path) : IBenchmarkDatabase
{
    private const string Nodes = """
        insert into taskrecovery_nodes (id, name, named, name_is_explicit, machine, process_id, process_started, started_at, beat_at, info)
            with recursive n (n) as (select 1 union all select n + 1 from n limit 50)
            select randomblob(16), 'node-' || n, 1, 1, 'machine', n, n, series.now, series.now,
                '{"library":"1.0.0","heartbeat_ms":1000,"queues":{"history":20,"waiting":20},"kinds":["benchmark","kind-1","rare"]}'
            from n, series
            where not exists (select 1 from taskrecovery_nodes o where o.name = 'node-1');
        """;

    private const string Counts = """
        ;
        insert or ignore into taskrecovery_stats (hourly, began_at, queue, kind, enqueued, completed)
            with recursive h (h) as (select 0 union all select h + 1 from h limit 2160)
            select 1, (now / 3600000000 - h) * 3600000000, queue, kind, 100, 100 from h, series;
        insert or ignore into taskrecovery_stats (hourly, began_at, queue, kind, enqueued, completed)
            with recursive m (m) as (select 0 union all select m + 1 from m limit 1440)
            select 0, (now / 60000000 - m) * 60000000, queue, kind, 2, 2 from m, series;
        """;

    public string Path => path;

    public string ConnectionString { get; } = $"Data Source={path}";

    public async Task UseStoreAsync(Func<IQueueStore, Task> work)
    {
        using var host = BenchmarkHost.Create("sqlite", ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
        await work(host.Services.GetRequiredService<IQueueStore>());
    }

    public async Task FillAsync(FillSpec fill)
    {
        var text = new string('x', Math.Max(0, fill.ArgsBytes - 48));
        var createdAt = fill.Lived
            ? $"series.now - 604800000000 + (numbers.id - series.first) * 604800000000 / {fill.Count}"
            : "series.now";
        var runAt = fill.Later ? "series.now + 86400000000" : "series.now - 1000000";
        var metadata =
            fill.Lived ? """case when numbers.id % 10 = 0 then '{"customer":"' || (numbers.id % 1000) || '"}' end""" : "null";
        const string First = "(select number from taskrecovery_nodes where name = 'node-1')";
        var place = fill switch
        {
            { Running: true } => "insert into taskrecovery_claims (claimed_at, node, entries, attempts, crashes) "
                + $"select max(series.now), {First}, json_group_array(numbers.id), json_group_array(0), json_group_array(0) "
                + "from numbers, series group by numbers.id / 10",
            { Ended: true } => "insert into taskrecovery_outcomes "
                + "(entry, fence, ended_at, duration, node, kind, attempt, crashes, final, reason) "
                + $"select numbers.id, 0, {createdAt} + 1000, 0, {(fill.Lived ? $"{First} + numbers.id % 50" : "null")}, "
                + $"{(fill.Failed ? 1 : 0)}, 1, 0, 1, {(fill is { Lived: true, Failed: true } ? "'attempts_exhausted'" : "null")} "
                + "from numbers, series",
            _ => "insert into taskrecovery_waiting (id, queue, kind, priority, run_at) "
                + $"select numbers.id, series.queue, series.kind, 5, {runAt} from numbers, series",
        };
        await RunAsync($$"""
            pragma foreign_keys = off; pragma synchronous = off; pragma cache_size = -500000; pragma temp_store = memory;
            insert or ignore into taskrecovery_kinds (name) values ('{{fill.Kind}}');
            insert or ignore into taskrecovery_queues (name) values ('{{fill.Queue}}');
            """);
        if (fill.Count > 0)
        {
            await RunAsync($$"""
                pragma foreign_keys = off; pragma synchronous = off; pragma cache_size = -500000; pragma temp_store = memory;
                begin immediate;
                create temporary table series as select coalesce((select max(id) from taskrecovery_entries), 0) + 1 as first,
                    cast((julianday('now') - 2440587.5) * 86400e6 as integer) as now,
                    (select id from taskrecovery_queues where name = '{{fill.Queue}}') as queue, (select id from taskrecovery_kinds
                        where name = '{{fill.Kind}}') as kind;
                create temporary table numbers as with recursive n (id) as (select first from series
                    union all select id + 1 from n limit {{fill.Count}}) select id from n;
                {{(fill.Lived || fill.Running ? Nodes : "")}}
                insert into taskrecovery_entries (id, created_at, queue, kind, priority, max_attempts, args, metadata)
                    select numbers.id, {{createdAt}}, series.queue, series.kind, 5, 10,
                        '{"number":' || (numbers.id - series.first) || ',"milliseconds":0,"text":"{{text}}"}', {{metadata}}
                    from numbers, series;
                {{place}}
                {{(fill.Lived ? Counts : ";")}}
                commit
                """);
        }
    }

    public Task<double> StatementTimeAsync() => Task.FromResult(double.NaN);

    public async Task<(long Entries, double Bytes)> SizeAsync()
    {
        var files = Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path) + "*").Sum(
            file => new FileInfo(file).Length);
        return ((long)await ReadAsync("select count(*) from taskrecovery_entries"), files);
    }

    public async Task CopyJobAsync(int jobs)
    {
        // The job's id is in the arguments of its entries, as text.
        const string Id = "lower(substr(hex(c.id), 1, 8) || '-' || substr(hex(c.id), 9, 4) || '-' || substr(hex(c.id), 13, 4) || '-'"
            + " || substr(hex(c.id), 17, 4) || '-' || substr(hex(c.id), 21))";
        var now = (long)(await NowAsync() * 1e6);
        await RunAsync($"""
            begin immediate;
            create temporary table planned as select planned_entry as entry from taskrecovery_jobs where planned_entry is not null;
            update taskrecovery_waiting set run_at = {now} where id = (select entry from planned);
            update taskrecovery_jobs set next_run_at = {now} where planned_entry = (select entry from planned);
            create temporary table copies as with recursive n (number) as (select 1 union all select number + 1 from n limit {jobs - 1})
                select number, randomblob(16) as id, (select max(id) from taskrecovery_entries) + number as entry from n;
            insert into taskrecovery_entries (id, created_at, queue, kind, priority, max_attempts, args, timeout)
                select c.entry, e.created_at, e.queue, e.kind, e.priority, e.max_attempts, json_replace(e.args, '$.jobId', {Id}), e.timeout
                from copies c cross join taskrecovery_entries e where e.id = (select entry from planned);
            insert into taskrecovery_waiting (id, queue, kind, priority, run_at)
                select c.entry, w.queue, w.kind, w.priority, w.run_at
                from copies c cross join taskrecovery_waiting w where w.id = (select entry from planned);
            insert into taskrecovery_jobs (id, name, kind, entry_kind, args, state, every, once_at, start_at, overlap, missed_runs, queue,
                    priority, max_attempts, timeout, next_run_at, planned_entry, created_at, updated_at)
                select c.id, 'job ' || c.number, j.kind, j.entry_kind, j.args, j.state, j.every, j.once_at, j.start_at, j.overlap,
                    j.missed_runs, j.queue, j.priority, j.max_attempts, j.timeout, j.next_run_at, c.entry, j.created_at, j.updated_at
                from copies c cross join taskrecovery_jobs j where j.planned_entry = (select entry from planned);
            commit
            """);
    }

    public Task RemovePlansAsync() => RunAsync("""
        delete from taskrecovery_waiting;
        delete from taskrecovery_entries;
        update taskrecovery_jobs set planned_entry = null, next_run_at = null;
        """);

    public Task CatchUpAsync() => RunAsync("pragma wal_checkpoint(passive)");

    public async Task SettleAsync()
    {
        await RunAsync("pragma wal_checkpoint(truncate)");
        SqliteConnection.ClearAllPools();
    }

    public async Task<double> NowAsync() => await ReadAsync("select (julianday('now') - 2440587.5) * 86400.0");

    public async Task<(long Count, double Last)> OutcomesAsync(double since)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand("select count(*), coalesce(max(ended_at), 0) / 1e6 from taskrecovery_outcomes "
            + $"where ended_at >= {(long)((since * 1e6) - 1000)}", connection);
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetDouble(1));
    }

    public Task SetPausedAsync(string queue, bool paused) => UseStoreAsync(
        store => store.SetPausedAsync(
            PauseTarget.Queue(queue, mayBeNew: true), paused ? new PauseInfo() : null, new AuditInfo("benchmark"), CancellationToken.None)
            .AsTask());

    public async Task<StoreCost> CostAsync()
    {
        var claims = await ReadAsync("select coalesce((select seq from sqlite_sequence where name = 'taskrecovery_claims'), 0)");
        return new StoreCost(double.NaN, double.NaN, double.NaN, claims, double.NaN, double.NaN);
    }

    public Task CountStatementsAsync(bool on) => Task.CompletedTask;

    public Task<IReadOnlyList<StatementCount>> StatementsAsync() => Task.FromResult<IReadOnlyList<StatementCount>>([]);

    public Task<double> SessionsAsync() => Task.FromResult(double.NaN);

    public async Task<IAsyncDisposable> HoldSnapshotAsync()
    {
        var connection = await OpenAsync();
        await using var command = new SqliteCommand("begin; select count(*) from taskrecovery_queues", connection);
        await command.ExecuteScalarAsync();
        return connection;
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        foreach (var file in Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(path)!, System.IO.Path.GetFileName(path) + "*"))
        {
            File.Delete(file);
        }

        return ValueTask.CompletedTask;
    }

    private async Task<SqliteConnection> OpenAsync()
    {
        var connection = new SqliteConnection(ConnectionString + ";Pooling=False");
        await connection.OpenAsync();
        return connection;
    }

    private async Task RunAsync(string statement)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<double> ReadAsync(string statement)
    {
        await using var connection = await OpenAsync();
        await using var command = new SqliteCommand(statement, connection);
        return Convert.ToDouble(await command.ExecuteScalarAsync(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>Transactions of a caller of its own.</summary>
internal sealed class SqliteTransactions(string connectionString) : ITransactions
{
    public async Task RunAsync(Func<DbTransaction, Task> work)
    {
        await using var connection = new SqliteConnection(connectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await work(transaction);
        await transaction.CommitAsync();
    }
}
