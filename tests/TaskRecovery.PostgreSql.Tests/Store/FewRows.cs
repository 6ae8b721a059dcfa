namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>Statements that give each table that grows a few rows.</summary>
internal static class FewRows
{
    /// <summary>Deletes the rows.</summary>
    public const string Delete = """
        delete from taskrecovery.entries;
        delete from taskrecovery.waiting;
        delete from taskrecovery.claims;
        delete from taskrecovery.heartbeats;
        delete from taskrecovery.outcomes;
        delete from taskrecovery.jobs;
        delete from taskrecovery.tasks;
        delete from taskrecovery.unique_keys;
        delete from taskrecovery.steps;
        delete from taskrecovery.checkpoints;
        delete from taskrecovery.cancellations;
        delete from taskrecovery.reports;
        delete from taskrecovery.run_logs;
        delete from taskrecovery.paused_runs;
        delete from taskrecovery.operation_entries;
        """;

    /// <summary>Returns the names of all tables, as a list.</summary>
    public const string Tables = "select string_agg(c.oid::regclass::text, ', ') from pg_class c "
        + "where c.relkind = 'r' and c.relnamespace = 'taskrecovery'::regnamespace";

    /// <summary>Adds rows.</summary>
    /// <param name="count">How many for each table.</param>
    public static string Insert(int count)
    {
        var numbers = $"from generate_series(1, {count}) n";
        return $$"""
            insert into taskrecovery.entries (queue, kind, priority, max_attempts, args) select 1, 1, 5, 1, '{}' {{numbers}};
            insert into taskrecovery.waiting (run_at, id, queue, kind, priority) select now(), n, 1, 1, 5 {{numbers}};
            insert into taskrecovery.nodes (id, name, named, name_is_explicit, machine, process_id, process_started, lock_key)
            values (gen_random_uuid(), 'node', false, false, 'machine', 1, 1, 1);
            insert into taskrecovery.heartbeats (node, beat) select n, 0 {{numbers}};
            insert into taskrecovery.claims (id, node, entries)
            select n, (select min(number) from taskrecovery.nodes), array[n] {{numbers}};
            insert into taskrecovery.outcomes (entry, fence, duration_ms, kind, attempt, crashes, final)
            select n, n, 1, n % 2, 1, 0, true {{numbers}};
            insert into taskrecovery.jobs (id, name, kind, entry_kind, args, queue)
            select gen_random_uuid(), 'job ' || n, 'work', 'task:work', '{}', 'default' {{numbers}};
            insert into taskrecovery.tasks (id, job_id, entry_id, due_at) select gen_random_uuid(), gen_random_uuid(), n, now() {{numbers}};
            insert into taskrecovery.unique_keys (kind, key, entry) select 1, 'key ' || n, n {{numbers}};
            insert into taskrecovery.steps (entry, fence, name, result) select n, n, 'step', '{}' {{numbers}};
            insert into taskrecovery.checkpoints (entry, fence, data) select n, n, '{}' {{numbers}};
            insert into taskrecovery.cancellations (entry) select n {{numbers}};
            insert into taskrecovery.reports (entry, fence, done) select n, n, 1 {{numbers}};
            insert into taskrecovery.run_logs (entry, fence, part, lines) select n, n, 1, '[]' {{numbers}};
            insert into taskrecovery.paused_runs (job_id, entry, run_at) select gen_random_uuid(), n, now() {{numbers}};
            insert into taskrecovery.operation_entries (operation, entry, result) select 1, n, 0 {{numbers}};
            """;
    }
}
