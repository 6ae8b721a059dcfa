namespace TaskRecovery.Sqlite;

/// <summary>Statements over <c>migrations</c>.</summary>
internal static class MigrationSql
{
    /// <summary>Returns a row if the table of migrations exists.</summary>
    public const string TableExists = "select 1 from sqlite_master where type = 'table' and name = 'taskrecovery_migrations'";

    /// <summary>Creates the table.</summary>
    public const string CreateTable = """
        create table taskrecovery_migrations (
            version integer primary key,
            name text not null,
            checksum text not null,
            oldest_library text not null,
            applied_at integer not null
        )
        """;

    /// <summary>The applied migrations.</summary>
    public const string Applied =
        "select version, name, checksum, oldest_library, applied_at from taskrecovery_migrations order by version";

    /// <summary>Records a migration. ?1 version, ?2 name, ?3 checksum, ?4 oldest library, ?5 now.</summary>
    public const string Record =
        "insert into taskrecovery_migrations (version, name, checksum, oldest_library, applied_at) values (?1, ?2, ?3, ?4, ?5)";

    /// <summary>Triggers on the library's tables, and views with the name of one.</summary>
    public const string ForeignCode = """
        select printf('%s ''%s'' on ''%s''', type, name, tbl_name)
        from sqlite_schema
        where (type = 'trigger' and tbl_name like 'taskrecovery\_%' escape '\')
            or (type = 'view' and name like 'taskrecovery\_%' escape '\')
        limit 1
        """;
}
