using System.Globalization;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Writes migrations as a script for <c>psql -1</c>.</summary>
internal static class PostgreSqlMigrationScript
{
    /// <summary>Writes the script.</summary>
    /// <param name="migrations">The migrations that are applied, in order.</param>
    /// <param name="isFirst">Whether the script creates the schema and the record of migrations.</param>
    /// <param name="schema">The schema's name, quoted for use in a statement.</param>
    internal static string Write(IReadOnlyList<Migration> migrations, bool isFirst, string schema)
    {
        var script = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"-- Migrations {migrations[0].Name} to {migrations[^1].Name} of TaskRecovery in "
                + $"schema {schema}.\n")
            .Append("-- Run it as the schema's owner, in one transaction: psql -1 -v ON_ERROR_STOP=1 -f FILE\n");

        // Must come first. A snapshot from before the locks would miss what others have changed meanwhile.
        Add("set transaction isolation level read committed");
        Add(MigrationSql.PinForScript);
        Add(MigrationSql.NoTimeouts);
        if (isFirst)
        {
            Add(MigrationSql.EnsureSchema);
            Add(MigrationSql.CreateTable);
        }

        Add(MigrationSql.Lock);
        if (!isFirst)
        {
            Add(string.Create(CultureInfo.InvariantCulture, $$"""
                do $check$
                begin
                    if not exists (select from {schema}.taskrecovery_migrations where version = {{migrations[0].Version - 1}}) then
                        raise exception 'The script begins with migration {{migrations[0].Version}}, and the one before is not applied.';
                    end if;
                end
                $check$
                """));
        }

        foreach (var migration in migrations)
        {
            // The record comes first: if the migration is applied already, its key ends the script before anything was changed.
            Add(string.Create(CultureInfo.InvariantCulture, $$"""
                insert into {schema}.taskrecovery_migrations (version, name, checksum, oldest_library)
                values ({{migration.Version}}, {{MigrationScript.Literal(migration.Name)}}, '{{migration.Checksum}}',
                    '{{migration.OldestLibrary}}')
                """));
            if (MigrationSql.LockBefore(migration.Version) is { } lockBefore)
            {
                Add(lockBefore);
            }

            script.Append('\n').Append(migration.Text.Replace("{schema}", schema, StringComparison.Ordinal).TrimEnd()).Append('\n');
        }

        return script.ToString();

        void Add(string statement)
            => script.Append('\n').Append(statement.Replace("{schema}", schema, StringComparison.Ordinal)).Append(";\n");
    }
}
