using System.Globalization;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Writes migrations as a script for <c>sqlite3</c>.</summary>
internal static class SqliteMigrationScript
{
    // In microseconds since 1970.
    private const string Now = "cast((julianday('now') - 2440587.5) * 86400000000 as integer)";

    /// <summary>Writes the script, which is one transaction.</summary>
    /// <param name="migrations">The migrations that are applied, in order.</param>
    /// <param name="isFirst">Whether the script creates the record of migrations.</param>
    internal static string Write(IReadOnlyList<Migration> migrations, bool isFirst)
    {
        var script = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"-- Migrations {migrations[0].Name} to {migrations[^1].Name} of TaskRecovery.\n")
            .Append("-- It ends at the first error, and the file is unchanged then: sqlite3 -bail tasks.db < FILE\n\n")
            .Append("begin immediate;\n");
        if (isFirst)
        {
            script.Append('\n').Append(MigrationSql.CreateTable).Append(";\n");
        }

        foreach (var migration in migrations)
        {
            // The record comes first: if the migration is applied already, its key ends the script. SQLite has no statement that raises an
            // error outside of a trigger; a name that is null, because the migration before is missing, does the same.
            var name = MigrationScript.Literal(migration.Name);
            var checkedName = migration == migrations[0] && !isFirst
                ? string.Create(
                    CultureInfo.InvariantCulture, $"(select {name} from taskrecovery_migrations where version = {migration.Version - 1})")
                : name;
            script.Append(CultureInfo.InvariantCulture, $"""

                insert into taskrecovery_migrations (version, name, checksum, oldest_library, applied_at)
                values ({migration.Version}, {checkedName}, '{migration.Checksum}', '{migration.OldestLibrary}', {Now});

                {migration.Text.TrimEnd()}

                """);
        }

        return script.Append("\ncommit;\n").ToString();
    }
}
