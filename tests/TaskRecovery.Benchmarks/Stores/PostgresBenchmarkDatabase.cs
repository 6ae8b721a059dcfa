using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using TaskRecovery.Benchmarks.Children;
using TaskRecovery.Storage;

namespace TaskRecovery.Benchmarks.Stores;

/// <summary>One database on the benchmark's server.</summary>
internal sealed class PostgresBenchmarkDatabase(string server, string name) : IBenchmarkDatabase
{
    private const int ManyEntries = 200_000;

    private const string Nodes = """
        insert into taskrecovery.nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key, stopped, info)
            select gen_random_uuid(), 'node-' || n, true, true, 'machine', n, n, n, false,
                '{"library":"1.0.0","heartbeat_ms":1000,"queues":{"history":20,"waiting":20},"kinds":["benchmark","kind-1","rare"]}'
            from generate_series(1, 50) n
            where not exists (select from taskrecovery.nodes o where o.name = 'node-1');
        """;

    private const string Counts = """
        insert into taskrecovery.stats (hourly, began_at, queue, kind, enqueued, completed)
            select true, date_trunc('hour', now()) - h * interval '1 hour', s.queue, s.kind, 100, 100
                from series s cross join generate_series(0, 2159) h
            union all
            select false, date_trunc('minute', now()) - m * interval '1 minute', s.queue, s.kind, 2, 2
                from series s cross join generate_series(0, 1439) m
            on conflict do nothing;
        """;

    // Every group has a row, also if none of its statements ran.
    private const string Groups = """
        select g.name, coalesce(sum(s.calls), 0)::float8, coalesce(sum(s.rows), 0)::float8, coalesce(sum(s.total_exec_time), 0)::float8
        from (values ('claims alone'), ('claims beside others'), ('polls'), ('recent polls'), ('heartbeats'), ('ends'), ('hints'),
            ('enqueues'), ('others')) g (name)
        left join (
            select s.calls, s.rows, s.total_exec_time, case
                when s.query like '%found as materialized%' and s.query like '%pg_try_advisory_xact_lock%' then 'claims alone'
                when s.query like '%found as materialized%' then 'claims beside others'
                when s.query like '%asked as materialized%' and s.query like '%generate_series%' then 'recent polls'
                when s.query like '%asked as materialized%' then 'polls'
                when s.query like '%set beat = h.beat%' then 'heartbeats'
                when s.query like '%insert into%.outcomes %' then 'ends'
                when s.query like '%pg_notify%' then 'hints'
                when s.query like '%insert into%.entries %' then 'enqueues'
                else 'others' end as name
            from pg_stat_statements s where s.dbid = (select oid from pg_database where datname = current_database())
        ) s on s.name = g.name
        group by g.name order by g.name
        """;

    private string? _dataFolder;

    public string Name => name;

    public string ConnectionString { get; } = new NpgsqlConnectionStringBuilder(server) { Database = name }.ConnectionString;

    public static async Task<NpgsqlConnection> OpenAsync(string connectionString)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false, CommandTimeout = 0 }.ConnectionString);
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
        await using var connection = await OpenAsync(ConnectionString);
        await RunAsync(connection, $"insert into taskrecovery.kinds (name) values ('{fill.Kind}') on conflict do nothing");
        await RunAsync(connection, $"insert into taskrecovery.queues (name) values ('{fill.Queue}') on conflict do nothing");
        if (fill.Count > 0)
        {
            // Indexes are built afterwards where it is much.
            var indexes = fill.Count >= ManyEntries ? await DropIndexesAsync(connection) : [];
            await RunAsync(connection, Fill(fill));
            foreach (var index in indexes)
            {
                await RunAsync(connection, index);
            }
        }
    }

    public async Task CatchUpAsync()
    {
        await RunAsync(ConnectionString, "vacuum analyze");

        // What was loaded is on the disk before anything is measured: a checkpoint that is spread over minutes would be measured with it.
        await RunAsync(server, "checkpoint");
    }

    public async Task SettleAsync()
    {
        await CatchUpAsync();
        await RunAsync(server, $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
    }

    public Task<double> NowAsync() => ScalarAsync<double>("select extract(epoch from clock_timestamp())::float8");

    public async Task<(long Count, double Last)> OutcomesAsync(double since)
    {
        await using var connection = await OpenAsync(ConnectionString);
        await using var command = new NpgsqlCommand(
            "select count(*), coalesce(extract(epoch from max(ended_at)), 0)::float8 from taskrecovery.outcomes "
            + "where ended_at >= to_timestamp($1)", connection);
        command.Parameters.Add(new NpgsqlParameter<double> { TypedValue = since });
        await using var reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return (reader.GetInt64(0), reader.GetDouble(1));
    }

    public async Task SetPausedAsync(string queue, bool paused)
    {
        using var host = BenchmarkHost.Create("postgres", ConnectionString, _ => { });
        await host.Services.GetRequiredService<IQueueStore>().SetPausedAsync(
            PauseTarget.Queue(queue, mayBeNew: true), paused ? new PauseInfo() : null, new AuditInfo("benchmark"), CancellationToken.None);
    }

    public async Task<StoreCost> CostAsync()
    {
        _dataFolder ??= await ScalarAsync<string>("select current_setting('data_directory')");
        return new StoreCost(
            await ScalarAsync<double>("select (pg_current_wal_insert_lsn() - '0/0')::float8"),
            await ScalarAsync<double>($"select xact_commit::float8 from pg_stat_database where datname = '{name}'"),
            await ScalarAsync<double>(
                "select coalesce(sum(calls), 0)::float8 from pg_stat_statements where dbid = (select oid from pg_database "
                + "where datname = current_database())"),
            await ScalarAsync<double>("select last_value::float8 from taskrecovery.fences"),
            ServerCpu.Read(_dataFolder),
            await ScalarAsync<double>(
                "select count(*)::float8 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() "
                + "and backend_type = 'client backend'"))
        {
            Writes = await ScalarAsync<double>("select pg_snapshot_xmax(pg_current_snapshot())::text::float8"),
        };
    }

    public Task<double> StatementTimeAsync() => ScalarAsync<double>(
        "select coalesce(sum(total_exec_time), 0)::float8 from pg_stat_statements where dbid = (select oid from pg_database "
        + "where datname = current_database())");

    public async Task<(long Entries, double Bytes)> SizeAsync() => (
        await ScalarAsync<long>("select count(*) from taskrecovery.entries"),
        await ScalarAsync<double>(
            "select sum(pg_total_relation_size(oid))::float8 from pg_class where relnamespace = 'taskrecovery'::regnamespace "
            + "and relkind = 'r'"));

    public Task CopyJobAsync(int jobs) => RunAsync(ConnectionString, $"""
        create temporary table copy as select * from taskrecovery.jobs;
        create temporary table numbered as
            select gen_random_uuid() as id, nextval('taskrecovery.entries_id_seq') as entry, 'job ' || g as name
                from generate_series(1, {jobs - 1}) g;
        insert into taskrecovery.entries (id, created_at, queue, kind, priority, max_attempts, args, timeout) overriding system value
            select n.entry, e.created_at, e.queue, e.kind, e.priority, e.max_attempts, replace(e.args, c.id::text, n.id::text), e.timeout
            from numbered n, copy c join taskrecovery.entries e on e.id = c.planned_entry;
        insert into taskrecovery.waiting (run_at, id, queue, kind, priority)
            select clock_timestamp(), n.entry, w.queue, w.kind, w.priority from numbered n, copy c
                join taskrecovery.waiting w on w.id = c.planned_entry;
        insert into taskrecovery.jobs select r.* from numbered n, copy c, jsonb_populate_record(null::taskrecovery.jobs, to_jsonb(c)
            || jsonb_build_object('id', n.id, 'name', n.name, 'planned_entry', n.entry, 'next_run_at', clock_timestamp())) r;
        update taskrecovery.jobs set next_run_at = clock_timestamp() where planned_entry = (select planned_entry from copy);
        update taskrecovery.waiting set run_at = clock_timestamp() where id = (select planned_entry from copy)
        """);

    public Task RemovePlansAsync() => RunAsync(ConnectionString, """
        delete from taskrecovery.waiting;
        delete from taskrecovery.entries;
        update taskrecovery.jobs set planned_entry = null, next_run_at = null;
        """);

    public async Task CountStatementsAsync(bool on)
    {
        await RunAsync(server, $"alter system set pg_stat_statements.track = '{(on ? "top" : "none")}'");
        await RunAsync(server, "select pg_reload_conf()");
        await Task.Delay(200);
    }

    public async Task<IReadOnlyList<StatementCount>> StatementsAsync()
    {
        await using var connection = await OpenAsync(ConnectionString);
        await using var command = new NpgsqlCommand(Groups, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var counts = new List<StatementCount>();
        while (await reader.ReadAsync())
        {
            counts.Add(new StatementCount(reader.GetString(0), reader.GetDouble(1), reader.GetDouble(2), reader.GetDouble(3)));
        }

        return counts;
    }

    // A session is counted when its first statement has ended, and so this one not yet.
    public Task<double> SessionsAsync()
        => ScalarAsync<double>("select sessions::float8 from pg_stat_database where datname = current_database()");

    public async Task<IAsyncDisposable> HoldSnapshotAsync()
    {
        var connection = await OpenAsync(ConnectionString);
        await RunAsync(connection, "begin isolation level repeatable read");
        await RunAsync(connection, "select 1 from taskrecovery.queues");
        return connection;
    }

    public async ValueTask DisposeAsync() => await RunAsync(server, $"drop database {name} with (force)");

    private static string Fill(FillSpec fill)
    {
        var text = new string('x', Math.Max(0, fill.ArgsBytes - 48));
        var createdAt = fill.Lived
            ? $"now() - interval '7 days' + (g - s.first) * (interval '7 days' / {fill.Count})"
            : "s.at + (g - s.first) * interval '1 microsecond'";
        var runAt = fill.Later ? "now() + interval '1 day'" : createdAt;
        var metadata = fill.Lived ? """case when g % 10 = 0 then '{"customer":"' || g % 1000 || '"}' end""" : "null";
        var node = fill.Lived ? "(select n.number + g % 50 from taskrecovery.nodes n where n.name = 'node-1')" : "null";
        var reason = fill is { Lived: true, Failed: true } ? "'attempts_exhausted'" : "null";
        var place = fill switch
        {
            { Running: true } => """
                insert into taskrecovery.claims (id, node, entries)
                select nextval('taskrecovery.fences'), (select n.number from taskrecovery.nodes n where n.name = 'node-1'), c.entries
                from (select array_agg(g) as entries from series s cross join generate_series(s.first, s.last) g group by g / 10) c;
                """,
            { Ended: true } => $"""
                insert into taskrecovery.outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final, reason)
                select g, nextval('taskrecovery.fences'), {createdAt} + interval '1 millisecond', 0, {node}, {(fill.Failed ? 1 : 0)}, 1, 0,
                    true, {reason}
                from series s cross join generate_series(s.first, s.last) g;
                """,
            _ => $"""
                insert into taskrecovery.waiting (run_at, id, queue, kind, priority, found_by_id)
                select {runAt}, g, s.queue, s.kind, 5, {fill.Later || fill.Lived}
                from series s cross join generate_series(s.first, s.last) g;
                """,
        };
        return $$"""
            {{(fill.Lived || fill.Running ? Nodes : "")}}
            create temporary table series as
                select n.first, n.first + {{fill.Count}} - 1 as last, q.id as queue, k.id as kind,
                    clock_timestamp() - interval '1 second' - {{fill.Count}} * interval '1 microsecond' as at
                from (select nextval('taskrecovery.entries_id_seq') as first) n, taskrecovery.queues q, taskrecovery.kinds k
                    where q.name = '{{fill.Queue}}' and k.name = '{{fill.Kind}}';
            select setval('taskrecovery.entries_id_seq', last) from series;
            insert into taskrecovery.entries (id, created_at, queue, kind, priority, max_attempts, args, metadata) overriding system value
                select g, {{createdAt}}, s.queue, s.kind, 5, 10, '{"number":' || g - s.first || ',"milliseconds":0,"text":"{{text}}"}',
                    {{metadata}}
                    from series s cross join generate_series(s.first, s.last) g;
            {{place}}
            {{(fill.Lived ? Counts : "")}}
            drop table series
            """;
    }

    private static async Task<List<string>> DropIndexesAsync(NpgsqlConnection connection)
    {
        const string find = """
            select pg_get_indexdef(i.indexrelid), i.indexrelid::regclass::text, i.indrelid::regclass::text, c.conname,
                pg_get_constraintdef(c.oid)
            from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype = 'p'
            where i.indrelid::regclass::text in ('taskrecovery.entries', 'taskrecovery.waiting', 'taskrecovery.outcomes')
            """;
        var found = new List<(string Drop, string Create)>();
        await using (var command = new NpgsqlCommand(find, connection))
        await using (var reader = await command.ExecuteReaderAsync())
        {
            while (await reader.ReadAsync())
            {
                var table = reader.GetString(2);
                found.Add(await reader.IsDBNullAsync(3)
                    ? ($"drop index {reader.GetString(1)}", reader.GetString(0))
                    : ($"alter table {table} drop constraint {reader.GetString(3)}",
                        $"alter table {table} add constraint {reader.GetString(3)} {reader.GetString(4)}"));
            }
        }

        foreach (var (drop, _) in found)
        {
            await RunAsync(connection, drop);
        }

        return [.. found.Select(index => index.Create)];
    }

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
