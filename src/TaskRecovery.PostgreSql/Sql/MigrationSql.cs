namespace TaskRecovery.PostgreSql;

/// <summary>Statements on <c>taskrecovery_migrations</c>, which records the applied migrations.</summary>
internal static class MigrationSql
{
    /// <summary>Allows one migrator at a time. A role needs rights to the table to take this lock, so no other role can block
    /// migrations.</summary>
    internal const string Lock = "lock table {schema}.taskrecovery_migrations in share row exclusive mode";

    /// <summary>Whether the schema and its table of migrations exist. $1 the schema's name.</summary>
    internal const string State = """
        select exists (select from pg_namespace where nspname = $1),
            exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
                where n.nspname = $1 and c.relname = 'taskrecovery_migrations')
        """;

    /// <summary>The default isolation level of transactions, and the encoding of the database.</summary>
    internal const string Isolation = "select current_setting('transaction_isolation'), current_setting('server_encoding')";

    /// <summary>Removes the time limits that a role, a database or a server sets for statements and transactions. Limits that this version
    /// of the server does not know are not in the list of settings.</summary>
    internal const string NoTimeouts = """
        select set_config(s.name, '0', true) from pg_settings s
        where s.name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
        """;

    /// <summary>The owner of the schema if that role is not trusted. Trusted are a role that the session's role belongs to, the owner of
    /// the tables, the owner of the database, and superusers. $1 the schema's name.</summary>
    /// <remarks>The owner of the database is known by its membership in <c>pg_database_owner</c>: a hoster may not let roles read the
    /// catalog of databases.</remarks>
    internal const string ForeignOwner = """
        select r.rolname::text from pg_namespace n join pg_roles r on r.oid = n.nspowner
        where n.nspname = $1 and not pg_has_role(n.nspowner, 'usage') and not r.rolsuper
            and not pg_has_role(n.nspowner, 'pg_database_owner'::name, 'usage')
            and not exists (
                select from pg_class c where c.relnamespace = n.oid and c.relname = 'taskrecovery_migrations' and c.relowner = n.nspowner)
        """;

    /// <summary>The role and the database, quoted for use in a statement.</summary>
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

    /// <summary>The first statement of a script. Its effect ends with the session.</summary>
    internal const string PinForScript = "set search_path = pg_catalog, pg_temp";

    internal const string EnsureSchema = "create schema if not exists {schema}";

    /// <summary>The applied migrations, in order.</summary>
    internal const string Applied =
        "select version, name, checksum, oldest_library, applied_at from {schema}.taskrecovery_migrations order by version";

    /// <summary>Records a migration. $1 version, $2 name, $3 checksum, $4 oldest library that works with it.</summary>
    internal const string Record =
        "insert into {schema}.taskrecovery_migrations (version, name, checksum, oldest_library) values ($1, $2, $3, $4)";

    private const int OrderOfProgress = 23;

    /// <summary>What is locked before a migration runs; <see langword="null"/> if nothing is.</summary>
    /// <remarks>Migration 23 changes <c>checkpoints</c> and then <c>claims</c>. Nodes lock these in the opposite order, so without this
    /// lock they and the migration could wait for each other.</remarks>
    internal static string? LockBefore(int version)
        => version == OrderOfProgress ? "lock table {schema}.claims in access exclusive mode" : null;

    /// <summary>The columns of the old system's tables, if there are any. $1 the schema's name.</summary>
    internal const string LegacyColumns = """
        select c.relname || '.' || a.attname
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = $1 and c.relname in ('jobs', 'tasks') and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
        """;
}
