using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>One database on the benchmark's server.</summary>
internal sealed class PostgresBenchmarkDatabase(string server, string name) : IBenchmarkDatabase
{
    private string? _dataFolder;

    public string Name => name;

    public string ConnectionString { get; } = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;

    public static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async Task CreateAsync(string? template)
    {
        await RunAsync(server, $"create database {name}{(template is null ? "" : " template " + template)}");
        if (template is null)
        {
            await RunAsync(ConnectionString, "create extension pg_stat_statements");
            using var host = BenchmarkHost.Create("postgres", ConnectionString, builder => builder.AddKind<BenchmarkArgs>());
            await host.Services.GetRequiredService<IQueueStore>().PrepareAsync(CancellationToken.None);
            await FillAsync(new FillSpec(BenchmarkQueues.Measured, 0));
        }
    }

    public async Task FillAsync(FillSpec fill)
    {
        const int part = 500_000;
        var runAt = fill.Later ? "now() + interval '1 day'" : "clock_timestamp() - interval '1 second'";
        await using var connection = await OpenAsync(ConnectionString);
        await RunAsync(connection, $"insert into taskrecovery.kinds (name) values ('{fill.Kind}') on conflict do nothing");
        await RunAsync(connection, $"insert into taskrecovery.queues (name) values ('{fill.Queue}') on conflict do nothing");
        var text = new string('x', Math.Max(0, fill.ArgsBytes - 48));
        for (var done = 0; done < fill.Count; done += part)
        {
            var store = fill.Ended
                ? """
                    insert into taskrecovery.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
                    select id, nextval('taskrecovery.fences'), 0, 0, 1, 0, true from stored
                    """
                : $"insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select {runAt}, id, queue, kind, priority from stored order by id";
            await RunAsync(connection, $$"""
                with stored as (
                    insert into taskrecovery.entries (queue, kind, priority, max_attempts, args)
                    select q.id, k.id, 5, 10, '{"number":' || g || ',"milliseconds":0,"text":"{{text}}"}'
                    from generate_series({{done}}, {{Math.Min(done + part, fill.Count) - 1}}) g
                    join taskrecovery.queues q on q.name = '{{fill.Queue}}' join taskrecovery.kinds k on k.name = '{{fill.Kind}}'
                    returning id, queue, kind, priority
                )
                {{store}}
                """);
        }
    }

    public async Task SettleAsync()
    {
        await RunAsync(ConnectionString, "vacuum analyze");
        await RunAsync(server, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    }

    public Task<double> NowAsync() => ScalarAsync<double>("select extract(epoch from clock_timestamp())::float8");

    public async Task<(long Count, double Last)> OutcomesAsync(double since)
    {
        await using var connection = await OpenAsync(ConnectionString);
        await using var command = new NpgsqlCommand(
            "select count(*), coalesce(extract(epoch from max(ended_at)), 0)::float8 from taskrecovery.outcomes where ended_at >= to_timestamp($1)", connection);
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = since });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetDouble(1));
    }

    public async Task SetPausedAsync(string queue, bool paused)
    {
        using var host = BenchmarkHost.Create("postgres", ConnectionString, _ => { });
        await host.Services.GetRequiredService<IQueueStore>().SetPausedAsync(queue, paused, CancellationToken.None);
    }

    public async Task<StoreCost> CostAsync()
    {
        _dataFolder ??= await ScalarAsync<string>("select current_setting('data_directory')");
        return new StoreCost(
            await ScalarAsync<double>("select (pg_current_wal_insert_lsn() - '0/0')::float8"),
            await ScalarAsync<double>($"select xact_commit::float8 from pg_stat_database where datname = '{name}'"),
            await ScalarAsync<double>("select coalesce(sum(calls), 0)::float8 from pg_stat_statements where dbid = (select oid from pg_database where datname = current_database())"),
            await ScalarAsync<double>("select last_value::float8 from taskrecovery.fences"),
            ServerCpu.Read(_dataFolder),
            await ScalarAsync<double>("select count(*)::float8 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'"));
    }

    public async Task CountStatementsAsync(bool on)
    {
        await RunAsync(server, $"alter system set pg_stat_statements.track = '{(on ? "top" : "none")}'");
        await RunAsync(server, "select pg_reload_conf()");
        await Task.Delay(200);
    }

    public async Task<IAsyncDisposable> HoldSnapshotAsync()
    {
        var connection = await OpenAsync(ConnectionString);
        await RunAsync(connection, "begin isolation level repeatable read");
        await RunAsync(connection, "select 1 from taskrecovery.queues");
        return connection;
    }

    public async ValueTask DisposeAsync() => await RunAsync(server, $"drop database {name} with (force)");

    private async Task<T> ScalarAsync<T>(string statement)
    {
        await using var connection = await OpenAsync(ConnectionString);
        await using var command = new NpgsqlCommand(statement, connection);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    private static async Task RunAsync(string connectionString, string statement)
    {
        await using var connection = await OpenAsync(connectionString);
        await RunAsync(connection, statement);
    }

    private static async Task RunAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }
}
