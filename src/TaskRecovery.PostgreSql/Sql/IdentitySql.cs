namespace TaskRecovery.PostgreSql;

/// <summary>Statements that tell databases apart. They need no right to a table, so that they also run in a database that is another
/// one.</summary>
internal static class IdentitySql
{
    /// <summary>The number of the database on its server.</summary>
    /// <returns>The number, and whether the role may run <see cref="Server"/>. Every role may, unless this right was revoked.</returns>
    internal const string Database = """
        select d.oid::bigint, coalesce(pg_catalog.has_function_privilege(
            pg_catalog.to_regprocedure('pg_catalog.pg_control_system()'), 'execute'), false)
        from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()
        """;

    /// <summary>The number that the server was given when it was created. A standby has that of its primary, and keeps it when it is
    /// promoted.</summary>
    internal const string Server = "select c.system_identifier from pg_catalog.pg_control_system() c";
}
