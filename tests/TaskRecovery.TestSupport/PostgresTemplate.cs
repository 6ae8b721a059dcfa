using System.Collections.Concurrent;
using Npgsql;

namespace TaskRecovery.TestSupport;

/// <summary>A database that is filled once in a process and copied for each test. A copy whose schema a test has left as it was is lent
/// again, with the rows of the template, because that takes a tenth of the time of a copy.</summary>
internal sealed class PostgresTemplate : IAsyncDisposable
{
    private readonly string _server;
    private readonly PostgresDatabase _database;
    private readonly string _strategy;
    private readonly string? _fingerprint;
    private readonly ConcurrentBag<PostgresDatabase> _free = [];

    private PostgresTemplate(string server, PostgresDatabase database, string strategy, string? fingerprint)
        => (_server, _database, _strategy, _fingerprint) = (server, database, strategy, fingerprint);

    /// <summary>Creates a template.</summary>
    /// <param name="server">The connection string of the server's maintenance database.</param>
    /// <param name="lendsAgain">Whether copies are lent again. If so, they are dropped only with the server.</param>
    /// <param name="fill">Fills the template.</param>
    public static async Task<PostgresTemplate> CreateAsync(string server, bool lendsAgain, Func<string, Task> fill)
    {
        var database = await PostgresDatabase.CreateAsync(server, "template");
        await fill(database.ConnectionString);
        string? fingerprint = null;
        if (lendsAgain)
        {
            await PostgresDatabase.ExecuteAsync(database.ConnectionString, KeepRows);
            fingerprint = (string)(await PostgresDatabase.ExecuteAsync(database.ConnectionString, Fingerprint))!;
        }

        // A database that has sessions can't be copied.
        await ClearPoolAsync(database.ConnectionString);

        // If nothing waits for the disk, the checkpoints of a file copy cost less than a log record for each page. Otherwise each of them
        // would write all files of the copy to the disk.
        var strategy = await PostgresDatabase.ExecuteAsync(server, "show fsync") is "off" ? "file_copy" : "wal_log";
        return new PostgresTemplate(server, database, strategy, fingerprint);
    }

    public async Task<PostgresDatabase> CopyAsync(string prefix, bool isNew)
        => !isNew && _free.TryTake(out var used) ? used : await PostgresDatabase.CreateAsync(
            _server, prefix, $"template {_database.Name} strategy {_strategy}", _fingerprint is null ? null : TryTakeBackAsync);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task<bool> TryTakeBackAsync(PostgresDatabase copy)
    {
        if (await PostgresDatabase.ExecuteAsync(copy.ConnectionString, EndSessions + Fingerprint) is not string found
            || !string.Equals(found, _fingerprint, StringComparison.Ordinal))
        {
            return false;
        }

        await PostgresDatabase.ExecuteAsync(copy.ConnectionString, RestoreRows);
        await ClearPoolAsync(copy.ConnectionString);
        _free.Add(new PostgresDatabase(_server, copy.Name, TryTakeBackAsync));
        return true;
    }

    private static async Task ClearPoolAsync(string connectionString)
    {
        await using var pool = new NpgsqlConnection(connectionString);
        NpgsqlConnection.ClearPool(pool);
    }

    // The rows of the template's tables that have any, and the state of its sequences. A copy has the same object identifiers.
    private const string KeepRows =
        """
        create schema kept_rows;
        do $$
        declare t record; has_rows boolean;
        begin
            for t in select c.oid, c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'kept_rows')
            loop
                execute format('select exists (select from %s)', t.name) into has_rows;
                if has_rows then
                    execute format('create table kept_rows.%I as select * from %s', t.oid::text, t.name);
                end if;
            end loop;
            create table kept_rows.sequences (name regclass, last bigint, is_called boolean);
            for t in select c.oid::regclass::text as name from pg_class c where c.relkind = 'S'
            loop
                execute format('insert into kept_rows.sequences select %L::regclass, last_value, is_called from %s', t.name, t.name);
            end loop;
        end $$;
        """;

    private const string EndSessions =
        """
        do $$
        begin
            perform pg_terminate_backend(pid, 60000) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';
        end $$;
        """;

    // Everything about the database other than its rows. Tables that have grown are part of it: their dead rows would slow the next test.
    private const string Fingerprint =
        """
        select md5(string_agg(part, ' ' order by part)) from (
            select concat_ws(':', 'relation', c.oid, c.relname, c.relnamespace, c.relkind, c.relowner, c.relacl, c.reloptions,
                    c.relrowsecurity, c.relkind = 'r' and pg_relation_size(c.oid) > 1000000)
                from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid >= 16384 and n.nspname !~ '^pg_'
            union all select concat_ws(':', 'column', attrelid, attnum, attname, atttypid, attnotnull, atthasdef, attisdropped, attacl,
                    attoptions, attstattarget)
                from pg_attribute join pg_class c on c.oid = attrelid join pg_namespace n on n.oid = c.relnamespace
                where attrelid >= 16384 and attnum > 0 and n.nspname !~ '^pg_'
            union all select concat_ws(':', 'default', oid, md5(adbin::text)) from pg_attrdef where oid >= 16384
            union all select concat_ws(':', 'index', indexrelid, indisvalid, indisready) from pg_index where indexrelid >= 16384
                and indrelid in (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname !~ '^pg_')
            union all select concat_ws(':', 'constraint', oid, conname, convalidated) from pg_constraint where oid >= 16384
            union all select concat_ws(':', 'trigger', oid, tgname, tgenabled) from pg_trigger where oid >= 16384
            union all select concat_ws(':', 'function', oid, proname, md5(prosrc), proowner, proacl, proconfig)
                from pg_proc where oid >= 16384
            union all select concat_ws(':', 'policy', oid) from pg_policy
            union all select concat_ws(':', 'rule', oid, ev_enabled) from pg_rewrite where oid >= 16384
            union all select concat_ws(':', 'type', oid, typname) from pg_type where oid >= 16384 and typname !~ '^pg_' and typrelid = 0
            union all select concat_ws(':', 'schema', oid, nspname, nspowner, nspacl) from pg_namespace where nspname !~ '^pg_'
            union all select concat_ws(':', 'extension', oid) from pg_extension
            union all select concat_ws(':', 'publication', oid) from pg_publication
            union all select concat_ws(':', 'grant', oid, defaclacl) from pg_default_acl
            union all select concat_ws(':', 'setting', setrole, setconfig) from pg_db_role_setting
                where setdatabase = (select oid from pg_database where datname = current_database())
            union all select concat_ws(':', 'database', datdba, datacl, datallowconn, datconnlimit)
                from pg_database where datname = current_database()
            union all select concat_ws(':', 'prepared', gid) from pg_prepared_xacts where database = current_database()
        ) parts (part)
        """;

    // As a replica: no trigger runs and no foreign key is checked.
    private const string RestoreRows =
        """
        set session_replication_role = replica;
        do $$
        declare t record;
        begin
            for t in select c.oid::regclass::text as name, to_regclass(format('kept_rows.%I', c.oid::text))::text as kept, (
                    select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                    where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns
                from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'kept_rows')
            loop
                execute 'delete from ' || t.name;
                if t.kept is not null then
                    execute format('insert into %1$s (%2$s) overriding system value select %2$s from %3$s', t.name, t.columns, t.kept);
                end if;
            end loop;
            perform setval(name, last, is_called) from kept_rows.sequences;
        end $$;
        """;
}
