namespace TaskRecovery.PostgreSql;

/// <summary>Statements that tell databases apart. They need no right to a table, so that they also run in a database that is another
/// one, and for a role that may not read the catalog of databases.</summary>
internal static class IdentitySql
{
    /// <summary>Whether the role may run <see cref="Database"/> and <see cref="Server"/>. Every role may, unless these rights were
    /// revoked.</summary>
    internal const string Rights = """
        select coalesce(pg_catalog.has_function_privilege(
                pg_catalog.to_regprocedure('pg_catalog.pg_stat_get_activity(integer)'), 'execute'), false),
            coalesce(pg_catalog.has_function_privilege(
                pg_catalog.to_regprocedure('pg_catalog.pg_control_system()'), 'execute'), false)
        """;

    /// <summary>The number of the database on its server.</summary>
    internal const string Database =
        "select a.datid::bigint from pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) a";

    /// <summary>The number that the server was given when it was created. A standby has that of its primary, and keeps it when it is
    /// promoted.</summary>
    internal const string Server = "select c.system_identifier from pg_catalog.pg_control_system() c";
}
