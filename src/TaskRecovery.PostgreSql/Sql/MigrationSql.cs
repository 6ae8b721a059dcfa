namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>taskrecovery_migrations</c>, which says what has been applied.</summary>
internal static class MigrationSql
{
    /// <summary>One migration at a time, whoever runs it. Nobody without rights to the table can hold this lock.</summary>
    internal const string Lock = "lock table {schema}.taskrecovery_migrations in share row exclusive mode";

    /// <summary>Whether the schema and its table of migrations are there. $1 the schema's name.</summary>
    internal const string State = """
        select exists (select from pg_namespace where nspname = $1),
            exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = 'taskrecovery_migrations')
        """;

    /// <summary>The isolation level of transactions that nobody begins, and the encoding of the database.</summary>
    internal const string Isolation = "select current_setting('transaction_isolation'), current_setting('server_encoding')";

    /// <summary>Takes limits away that a role, a database or a server sets for its statements and transactions. A limit that this version
    /// of the server does not know is not in the list of settings.</summary>
    internal const string NoTimeouts = """
        select set_config(s.name, '0', true) from pg_settings s
        where s.name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
        """;

    /// <summary>The owner of the schema if it is a role to distrust: not one that the session's role belongs to, nor the owner of the
    /// tables, nor one that may do everything anyway. $1 the schema's name.</summary>
    internal const string ForeignOwner = """
        select r.rolname::text from pg_namespace n join pg_roles r on r.oid = n.nspowner
        where n.nspname = $1 and not pg_has_role(n.nspowner, 'usage') and not r.rolsuper and r.rolname <> 'pg_database_owner'
            and n.nspowner <> (select d.datdba from pg_database d where d.datname = current_database())
            and not exists (
                select from pg_class c where c.relnamespace = n.oid and c.relname = 'taskrecovery_migrations' and c.relowner = n.nspowner)
        """;

    /// <summary>The role and the database, as they stand in a statement.</summary>
    internal const string Where = "select quote_ident(current_user), quote_ident(current_database())";

    internal const string CreateSchema = "create schema {schema}";

    internal const string CreateTable = """
        create table {schema}.taskrecovery_migrations (
            version integer primary key,
            name text not null,
            checksum text not null,
            oldest_library text not null,
            applied_at timestamptz not null default clock_timestamp()
        )
        """;

    /// <summary>What has been applied, in order.</summary>
    internal const string Applied = "select version, name, checksum, oldest_library from {schema}.taskrecovery_migrations order by version";

    /// <summary>$1 version, $2 name, $3 checksum, $4 oldest library that works with it.</summary>
    internal const string Record = "insert into {schema}.taskrecovery_migrations (version, name, checksum, oldest_library) values ($1, $2, $3, $4)";

    /// <summary>The columns of the tables that the old system left, if it was here. $1 the schema's name.</summary>
    internal const string LegacyColumns = """
        select c.relname || '.' || a.attname
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname in ('jobs', 'tasks') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        """;
}
