using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The checks of the server and the tables. Each statement returns a row for each finding: its level (as in
/// <see cref="FindingLevel"/>), a sentence, and the repair with quoted identifiers.</summary>
internal static class DoctorSql
{
    private const string Ok = Codes.FindingOk;
    private const string Warn = Codes.FindingWarning;
    private const string Problem = Codes.FindingProblem;

    /// <summary>The version of the server. $1 the number of the oldest version that is supported, as in
    /// <c>server_version_num</c>.</summary>
    internal const string Version = $$"""
        select case when current_setting('server_version_num')::integer < $1 then {{Problem}}
            else {{Ok}} end, format('PostgreSQL %s.', current_setting('server_version')),
            case when current_setting('server_version_num')::integer < $1
                then format('Upgrade the server to version %s or later.', $1 / 10000) end
        """;

    /// <summary>The encoding of the database.</summary>
    internal const string Encoding = $$"""
        select {{Problem}}, format('The encoding of the database is %s, and names and results may have any character.',
            current_setting('server_encoding')),
            'Create a database with encoding ''UTF8'' template template0, and move the data there (pg_dump, pg_restore).'
        where current_setting('server_encoding') <> 'UTF8'
        """;

    /// <summary>The names of the valid indexes, and the invalid ones. $1 the schema's name.</summary>
    internal const string Indexes = """
        select c.relname::text, i.indisvalid, format('reindex index concurrently %I.%I', n.nspname, c.relname)
        from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1
        """;

    /// <summary>Triggers that maintain <c>unfinished_tasks</c> and are missing or disabled. $1 the schema's name.</summary>
    internal const string Triggers = $$"""
        select {{Problem}}, format('Trigger %I of table tasks is %s: runs of one job can overlap.', w.name,
                case when g.oid is null then 'missing' else 'disabled' end),
            format(
                case when g.oid is null
                    then 'create trigger %3$I after %4$s on %1$I.%2$I %5$s for each statement execute function %1$I.keep_unfinished_tasks()'
                    else 'alter table %1$I.%2$I enable trigger %3$I' end || '; select %1$I.repair_unfinished_tasks()',
                n.nspname, c.relname, w.name, w.event, w.rows_as)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join (values
            ('unfinished_tasks_added', 'insert', 'referencing new table as changed'),
            ('unfinished_tasks_changed', 'update', 'referencing new table as changed'),
            ('unfinished_tasks_deleted', 'delete', 'referencing old table as changed'),
            ('unfinished_tasks_truncated', 'truncate', '')) w (name, event, rows_as)
        left join pg_trigger g on g.tgrelid = c.oid and g.tgname = w.name
        where n.nspname = $1 and c.relname = 'tasks' and c.relkind = 'r' and (g.oid is null or g.tgenabled not in ('O', 'A'))
            and exists (select from pg_proc p where p.pronamespace = n.oid and p.proname = 'repair_unfinished_tasks')
        """;

    /// <summary>Unfinished tasks that <c>unfinished_tasks</c> does not list, among the newest ones and those of claims; the invariant query
    /// reads all. $1 the schema's name.</summary>
    internal const string Unlisted = $$"""
        with newest as materialized (
            select t.id, t.job_id, t.state from {schema}.tasks t order by t.id desc limit {{NewestTasks}}
        ), unlisted as materialized (
            select t.id from newest t where {{Codes.TaskUnfinished}} and {{IsUnlisted}}
            union
            select t.id from {schema}.claims c cross join lateral unnest(c.entries) e (entry)
            cross join lateral (
                select * from {schema}.tasks t where t.entry_id = e.entry and {{Codes.TaskUnfinished}} offset 0) t
            where {{IsUnlisted}}
        )
        select {{Problem}}, format('%s unfinished tasks are not listed as such, the first of which is %s: runs of their jobs can overlap.',
                count(*), min(l.id::text)),
            format('select %I.repair_unfinished_tasks()', $1::text)
        from unlisted l having count(*) > 0
        """;

    private const string NewestTasks = "100000";

    private const string IsUnlisted =
        "(select u.task from {schema}.unfinished_tasks u where u.job_id = t.job_id and u.task = t.id) is null";

    /// <summary>The rights that the role lacks, and rights that it or others should not have. $1 the schema's name.</summary>
    internal const string Rights = $$"""
        with wanted as (
            select c.oid, c.relname, c.relkind, n.nspname,
                case when c.relkind = 'S' then array['usage'] when c.relname = 'taskrecovery_migrations' then array['select']
                    when c.relname = 'events' then array['select', 'insert']
                        else array['select', 'insert', 'update', 'delete'] end as rights
            from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p', 'S')
        ), lacking as (
            select w.*, (
                select string_agg(r.name, ', ') from unnest(w.rights) r (name)
                where case when w.relkind = 'S' then not has_sequence_privilege(w.oid, r.name)
                    else not has_table_privilege(w.oid, r.name) end) as missing
            from wanted w
        )
        select {{Warn}}, format('Role %I lacks rights to %s tables or sequences, the first of which is %I.', current_user, count(*),
            min(l.relname::text)),
            string_agg(format('grant %s on %s%I.%I to %I', l.missing, case when l.relkind = 'S' then 'sequence '
                else '' end, l.nspname, l.relname, current_user), '; ')
        from lacking l where l.missing is not null having count(*) > 0
        union all
        select {{Warn}}, format('Role %I may not call %s functions, the first of which is %I: CompleteAsync fails, or old events stay.',
            current_user, count(*), min(p.proname::text)),
            string_agg(format('grant execute on function %s to %I', p.oid::regprocedure, current_user), '; ')
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = $1 and p.proname in ('fail_lost_claim', 'remove_old_events') and not has_function_privilege(p.oid, 'execute')
        having count(*) > 0
        union all
        select {{Warn}}, format('Role %I may change and delete events, which are the record of what operators have done.', current_user),
            format('revoke update, delete, truncate on %I.%I from %I', n.nspname, c.relname, current_user)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname = 'events' and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'usage')
            and (has_table_privilege(c.oid, 'update') or has_table_privilege(c.oid, 'delete') or has_table_privilege(c.oid, 'truncate'))
        union all
        select {{Problem}}, 'Every role may create objects in the schema, and so put code of its own into the way of this one.',
            format('revoke create on schema %I from public', n.nspname)
        from pg_namespace n where n.nspname = $1
            and exists (select from aclexplode(n.nspacl) a where a.grantee = 0 and a.privilege_type = 'CREATE')
        """;

    /// <summary>The isolation level with which transactions begin by default. The library's own sessions do not use the default, and a
    /// node in whose sessions it applies refuses to start.</summary>
    internal const string Isolation = $$"""
        select {{Warn}}, format(
                'Transactions of role %I are ''%s'' by default: no node starts on a data source of yours or behind a transaction pooler.',
                current_user, s.reset_val),
            format('alter role %I in database %I set default_transaction_isolation = ''read committed''', current_user, current_database())
        from pg_settings s where s.name = 'default_transaction_isolation' and s.reset_val not in ('read committed', 'read uncommitted')
        """;

    /// <summary>Whether autovacuum is off, for the server or for a table. $1 the schema's name.</summary>
    internal const string Autovacuum = $$"""
        select {{Problem}}, format('%s is off on the server: dead rows stay, and claims become slower all the time.', s.name),
            format('alter system set %I = on; select pg_reload_conf()', s.name)
        from pg_settings s where s.name in ('autovacuum', 'track_counts') and s.setting = 'off'
        union all
        select {{Problem}}, format('Autovacuum is off for table %I: dead rows stay, and claims become slower all the time.', c.relname),
            format('alter table %I.%I reset (autovacuum_enabled)', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relkind = 'r' and exists (
            select from pg_options_to_table(c.reloptions) o where o.option_name = 'autovacuum_enabled' and not o.option_value::boolean)
        """;

    /// <summary>Tables with many dead rows. $1 the schema's name, $2 from how many on.</summary>
    internal const string DeadRows = $$"""
        select {{Warn}}, format('Table %I has about %s dead rows beside %s living ones.', t.relname, t.n_dead_tup, t.n_live_tup),
            format('vacuum (analyze) %I.%I', t.schemaname, t.relname)
        from pg_stat_user_tables t where t.schemaname = $1 and t.n_dead_tup >= $2 and t.n_dead_tup > t.n_live_tup order by t.n_dead_tup desc
        """;

    /// <summary>Sessions whose snapshot keeps dead rows. $1 from which age on, in microseconds.</summary>
    internal const string Snapshots = $$"""
        select {{Warn}}, format('Session %s of role %s (%s) has a transaction since %s, which keeps dead rows.', a.pid, a.usename,
            a.application_name,
                to_char(a.xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
            format('select pg_terminate_backend(%s)', a.pid)
        from pg_stat_activity a
        where a.datname = current_database() and a.pid <> pg_backend_pid() and (a.backend_xmin is not null or a.backend_xid is not null)
            and a.xact_start < clock_timestamp() - $1 * interval '1 microsecond'
        order by a.xact_start
        """;

    /// <summary>Replication slots that nobody uses and that keep write-ahead log. $1 from how many bytes on.</summary>
    internal const string Slots = $$"""
        select {{Warn}}, format('Replication slot %I is not used, and keeps %s of write-ahead log.', s.slot_name, pg_size_pretty(s.bytes)),
            format('select pg_drop_replication_slot(%L)', s.slot_name)
        from (
            select r.slot_name, pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
                else pg_current_wal_lsn() end, r.restart_lsn)::bigint as bytes
            from pg_replication_slots r where not r.active and r.restart_lsn is not null) s
        where s.bytes >= $1
        """;

    /// <summary>Transactions that were prepared and not ended. $1 from which age on, in microseconds.</summary>
    internal const string Prepared = $$"""
        select {{Warn}}, format('Transaction %L is prepared since %s and not ended: it keeps locks and dead rows.', p.gid,
                to_char(p.prepared at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
            format('rollback prepared %L', p.gid)
        from pg_prepared_xacts p where p.database = current_database() and p.prepared < clock_timestamp() - $1 * interval '1 microsecond'
        """;

    /// <summary>Settings with which committed work can be lost. $1 the schema's name.</summary>
    internal const string Durability = $$"""
        select {{Problem}}, format('%s is off: a power failure can destroy the database.', s.name),
            format('alter system set %I = on; select pg_reload_conf()', s.name)
        from pg_settings s where s.name in ('fsync', 'full_page_writes') and s.setting = 'off'
        union all
        select {{Problem}}, format('Table %I is unlogged: it is empty after a crash of the server.', c.relname),
            format('alter table %I.%I set logged', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind = 'r' and c.relpersistence = 'u'
        """;

    /// <summary>Free connections of the server, the database and the role. $1 how many there should be. Since version 16 the server may
    /// also reserve some for roles of its own.</summary>
    internal const string Connections = $$"""
        with client as (
            select count(*) as total, count(*) filter (where a.datname = current_database()) as here,
                count(*) filter (where a.usename = current_user) as mine
            from pg_stat_activity a where a.backend_type = 'client backend'
        ), free as (
            select 'the server' as what,
                current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
                    - coalesce(current_setting('reserved_connections', true)::bigint, 0) - c.total as number,
                format('alter system set max_connections = %s (and restart), or use smaller pools',
                    current_setting('max_connections')::bigint * 2) as repair from client c
            union all
            select format('database %I', d.datname), d.datconnlimit - c.here, format('alter database %I connection limit -1', d.datname)
            from client c cross join pg_database d where d.datname = current_database() and d.datconnlimit >= 0
            union all
            select format('role %I', r.rolname), r.rolconnlimit - c.mine, format('alter role %I connection limit -1', r.rolname)
            from client c cross join pg_roles r where r.rolname = current_user and r.rolconnlimit >= 0
        )
        select {{Warn}}, format('%s connections are free for %s.', greatest(f.number, 0), f.what), f.repair from free f where f.number < $1
        """;

    /// <summary>The time of the server.</summary>
    internal const string Clock = "select clock_timestamp()";

    /// <summary>Nodes that hold entries for long. $1 from which age on, in microseconds.</summary>
    internal const string Held = $$"""
        select {{Warn}}, format('Node %s holds %s entries since %s, the first of which is %s.', n.name, count(*),
                to_char(min(c.claimed_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), min(u.entry)),
            format('taskrecovery show %s; taskrecovery cancel %s', min(u.entry), min(u.entry))
        from {schema}.claims c join {schema}.nodes n on n.number = c.node cross join lateral unnest(c.entries) u (entry)
        where c.claimed_at < clock_timestamp() - $1 * interval '1 microsecond'
            and not exists (select from {schema}.outcomes o where o.entry = u.entry and o.fence = c.id)
        group by n.number, n.name
        """;

    /// <summary>The oldest ended entries. $1 from which age on they should have been removed, in microseconds.</summary>
    internal const string Retention = $$"""
        select {{Warn}}, format('Entries that ended before %s are still stored: nothing removes old entries.',
                to_char(min(o.ended_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
            'Start a node, which removes old entries; its log says if it fails.'
        from (select e.id from {schema}.entries e order by e.id limit 1000) e
        cross join lateral (select o.ended_at from {schema}.outcomes o where o.entry = e.id and o.final limit 1) o
        where o.ended_at < clock_timestamp() - $1 * interval '1 microsecond' having count(*) > 0
        """;

    /// <summary>The sizes of the tables. $1 the schema's name, $2 from how many bytes on the table of waiting entries is compared with its
    /// rows.</summary>
    internal const string Sizes = $$"""
        with sizes as (
            select n.nspname, c.relname, c.oid, pg_total_relation_size(c.oid) as bytes from pg_class c
                join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = $1 and c.relkind = 'r'
        )
        select {{Ok}}, format('%s in all; %s.', pg_size_pretty(sum(s.bytes)), (
                select string_agg(format('%I %s', l.relname, pg_size_pretty(l.bytes)), ', ' order by l.bytes desc)
                from (select * from sizes order by bytes desc limit 3) l)), null
        from sizes s
        union all
        select {{Warn}}, format('Table %I has %s for about %s rows.', s.relname, pg_size_pretty(s.bytes), pg_stat_get_live_tuples(s.oid)),
            format('vacuum (full) %I.%I (it locks the table meanwhile)', s.nspname, s.relname)
        from sizes s where s.relname = 'waiting' and s.bytes >= $2 and s.bytes > 2000 * pg_stat_get_live_tuples(s.oid)
        """;
}
