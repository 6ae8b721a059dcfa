using Npgsql;
using TaskRecovery.PostgreSql.Tests.Conformance;

namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>A database with 300,000 entries of history, filled once for the tests of a class.</summary>
public sealed class LongHistory : IAsyncLifetime
{
    internal const int History = 300_000;
    internal const int Waiting = 5_000;
    internal const int Later = 2_000;
    internal const int Running = 100;
    private const int Events = 50_000;

    internal PostgreSqlFixture Fixture { get; } = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await Fixture.CreateAsync(migrate: true, Cancellation);
        await using var connection = (NpgsqlConnection)await Fixture.OpenConnectionAsync(Cancellation);
        await using var command = new NpgsqlCommand(
            $$"""
            insert into queues (name) values ('default');
            insert into kinds (name) values ('work'), ('rare');
            insert into nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key)
            select gen_random_uuid(), 'node-' || n, true, true, 'machine', n, n, n from generate_series(1, 3) n;
            insert into entries (queue, kind, priority, max_attempts, args, created_at)
            select 1, case when n = 1000 then 2 else 1 end, 5, 10, '{}', clock_timestamp() - interval '1 day' + n * interval '0.2 s'
                from generate_series(1, {{History}}) n;
            insert into outcomes (entry, fence, ended_at, duration_ms, node, kind, attempt, crashes, final)
            select n, n, clock_timestamp() - interval '1 day' + n * interval '0.2 s', 1, case when n % 1000 = 0 then 3 else 1 end,
                case when n % 1000 = 0 then 1 else 0 end, 1, 0, true from generate_series(1, {{History}}) n;
            insert into entries (queue, kind, priority, max_attempts, args) select 1, 1, 5, 10, '{}' from generate_series(1, {{Waiting}}) n;
            insert into waiting (run_at, id, queue, kind, priority, found_by_id)
            select clock_timestamp() + case when e.id > {{History + Waiting - Later}} then interval '1 day' else interval '0' end,
                e.id, 1, 1, 5, true
            from entries e where e.id > {{History}};
            insert into stats (hourly, began_at, queue, kind, completed)
            select h.hourly, date_trunc('hour', now()) - n * h.unit, 1, k, 1
            from generate_series(1, 2) k cross join (values (true, interval '1 hour'), (false, interval '1 minute')) h (hourly, unit)
                cross join generate_series(0, 2000) n;
            with held as (
                insert into entries (queue, kind, priority, max_attempts, args) select 1, 1, 5, 10, '{}'
                    from generate_series(1, {{Running}}) returning id
            )
            insert into claims (id, node, entries)
            select 1000000 + h.id % 10, 2, array_agg(h.id) from held h group by h.id % 10;
            insert into events (kind, node, actor) select 10, 'node-1', 'anna' from generate_series(1, {{Events}});
            analyze entries, waiting, outcomes, events, stats;
            insert into tasks (id, job_id, state, created_at, ended_at)
            select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 2, clock_timestamp(), clock_timestamp()
                from generate_series(1, 50000);
            """,
            connection);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    public ValueTask DisposeAsync() => Fixture.DisposeAsync();
}
