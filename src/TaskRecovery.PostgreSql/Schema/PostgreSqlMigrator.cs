using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>Migrates the tables to the current version, and reports tables that do not match this library.</summary>
internal sealed class PostgreSqlMigrator(PostgreSqlDatabase database, IReadOnlyList<Migration> migrations, Version library) : IStoreMigrator
{
    private const int BeforeTheQueue = 3;
    private const int MaxAttempts = 10;

    private static readonly string[] LegacyColumns =
        ["jobs.id", "jobs.name", "jobs.type", "jobs.args", "jobs.interval_seconds", "jobs.status", "jobs.next_run_at", "jobs.created_at",
        "tasks.id", "tasks.job_id", "tasks.status", "tasks.result", "tasks.error",
        "tasks.created_at", "tasks.started_at", "tasks.finished_at"];

    internal PostgreSqlMigrator(PostgreSqlDatabase database)
        : this(database, Known, typeof(PostgreSqlMigrator).Assembly.GetName().Version!)
    {
    }

    /// <summary>All migrations of this library, in order.</summary>
    internal static IReadOnlyList<Migration> Known => Migration.LoadAll("PostgreSql/Migrations/");

    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default)
    {
        var done = new List<string>();
        try
        {
            while (await ApplyNextOrWaitAsync(cancellationToken).ConfigureAwait(false) is { } name)
            {
                done.Add(name);
            }
        }
        catch (StoreConfigurationException exception)
            when (exception.InnerException is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } denied)
        {
            throw await NotAllowedAsync(denied, cancellationToken).ConfigureAwait(false);
        }

        return done;
    }

    private async ValueTask<string?> ApplyNextOrWaitAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ApplyNextAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exception) when (attempt < MaxAttempts
                && exception.SqlState is PostgresErrorCodes.DuplicateSchema
                    or PostgresErrorCodes.DuplicateTable or PostgresErrorCodes.DuplicateObject or PostgresErrorCodes.UniqueViolation)
            {
                // Another migrator created the schema or the table of migrations at the same moment, when there was no table to lock yet:
                // retry.
            }
            catch (StoreUnavailableException exception) when (attempt < MaxAttempts
                && exception.InnerException is { } cause && PostgreSqlErrors.IsConflict(cause))
            {
                // The migration and the statements of a node waited for each other's locks, and the server ended the migration. It left
                // nothing behind: retry.
            }
        }
    }

    // The error of a missing grant on a table would name the rights of a service. A role that may not create objects needs other rights.
    private async ValueTask<StoreConfigurationException> NotAllowedAsync(PostgresException denied, CancellationToken cancellationToken)
    {
        var (role, where) = await database.ReadAsync(
            MigrationSql.Where,
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return (reader.GetString(0), reader.GetString(1));
            },
            cancellationToken).ConfigureAwait(false);
        return new StoreConfigurationException(
            $"Role {role} may not migrate schema '{database.SchemaName}' ({denied.MessageText}). Let the schema's owner run "
            + $"IStoreMigrator.MigrateAsync in a deployment step and grant {role} the rights of a service (docs/deployment.md), "
            + $"or where there is no schema yet: grant create on database {where} to {role}; or create schema {database.Schema} "
            + $"authorization {role}. Tables that another role owns can be changed by that role only: grant <owner> to {role}.",
            denied);
    }

    /// <summary>Checks that every migration is applied and that none is newer than this library, without changing anything.</summary>
    /// <returns>The names of the missing migrations.</returns>
    public async Task<IReadOnlyList<string>> FindMissingAsync(CancellationToken cancellationToken = default)
        => [.. Missing(await database.InTransactionAsync(ReadAppliedAsync, cancellationToken).ConfigureAwait(false))
            .Select(migration => migration.Name)];

    public async Task<IReadOnlyList<MigrationStatus>> GetStatusAsync(CancellationToken cancellationToken = default)
        => AppliedMigration.Compare(
            migrations, await database.InTransactionAsync(ReadRowsAsync, cancellationToken).ConfigureAwait(false), library);

    public Task<string> GetScriptAsync(int from = 1, CancellationToken cancellationToken = default)
        => Task.FromResult(PostgreSqlMigrationScript.Write(
            MigrationScript.Select(migrations, from), isFirst: from == migrations[0].Version, database.Schema));

    // Most starts have nothing to apply, so they need no right to do so.
    private async ValueTask<string?> ApplyNextAsync(CancellationToken cancellationToken)
        => Missing(await database.InTransactionAsync(ReadAppliedAsync, cancellationToken).ConfigureAwait(false)).Any()
            ? await database.InTransactionAsync(ApplyNextAsync, cancellationToken).ConfigureAwait(false)
            : null;

    private async ValueTask<string?> ApplyNextAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await RunAsync(connection, MigrationSql.NoTimeouts, [], cancellationToken).ConfigureAwait(false);
        await EnsureTableAsync(connection, cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, MigrationSql.Lock, [], cancellationToken).ConfigureAwait(false);
        if (Missing(await ReadAppliedAsync(connection, cancellationToken).ConfigureAwait(false)).FirstOrDefault() is not { } migration)
        {
            return null;
        }

        if (MigrationSql.LockBefore(migration.Version) is { } lockBefore)
        {
            await RunAsync(connection, lockBefore, [], cancellationToken).ConfigureAwait(false);
        }

        await RunAsync(connection, migration.Text, [], cancellationToken).ConfigureAwait(false);
        await RecordAsync(connection, migration, cancellationToken).ConfigureAwait(false);
        return migration.Name;
    }

    private IEnumerable<Migration> Missing(HashSet<int> applied) => migrations.Where(migration => !applied.Contains(migration.Version));

    private async ValueTask EnsureTableAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var (hasSchema, hasTable) = await ReadStateAsync(connection, cancellationToken).ConfigureAwait(false);
        if (hasTable)
        {
            return;
        }

        if (!hasSchema)
        {
            await RunAsync(connection, MigrationSql.CreateSchema, [], cancellationToken).ConfigureAwait(false);
        }

        var legacy = await FindLegacyVersionAsync(connection, cancellationToken).ConfigureAwait(false);
        await RunAsync(connection, MigrationSql.CreateTable, [], cancellationToken).ConfigureAwait(false);
        foreach (var migration in migrations.Where(migration => migration.Version <= legacy))
        {
            await RecordAsync(connection, migration, cancellationToken).ConfigureAwait(false);
        }
    }

    // The old system kept no reliable record of its version, so it is derived from the shape of its tables. Versions 1 and 3 look the same:
    // migration 3 reverts migration 2.
    private async ValueTask<int> FindLegacyVersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var command = Command(connection, MigrationSql.LegacyColumns, [Arg.Text(database.SchemaName)]);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            found.Add(reader.GetString(0));
        }

        if (found.Count == 0)
        {
            return 0;
        }

        var missing = LegacyColumns.Where(column => !found.Contains(column)).ToArray();
        if (missing.Length > 0)
        {
            throw new StoreConfigurationException(
                $"Schema '{database.SchemaName}' has a table 'jobs' or 'tasks' that is not TaskRecovery's nor the old system's "
                + $"(without {string.Join(", ", missing)}). Set PostgreSqlOptions.Schema to another schema.");
        }

        return found.Contains("jobs.current_task_id") ? 2 : BeforeTheQueue;
    }

    private async ValueTask<(bool HasSchema, bool HasTable)> ReadStateAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var command = Command(connection, MigrationSql.State, [Arg.Text(database.SchemaName)]);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        return (reader.GetBoolean(0), reader.GetBoolean(1));
    }

    private async ValueTask<HashSet<int>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = await ReadRowsAsync(connection, cancellationToken).ConfigureAwait(false);
        foreach (var status in AppliedMigration.Compare(migrations, applied, library))
        {
            if (status.State == MigrationState.Changed)
            {
                throw new StoreConfigurationException(
                    $"Migration {status.Name} in schema '{database.SchemaName}' is not the one that this library carries: it was changed "
                    + $"after it had been applied, or another build applied it. Use the library's release that applied it, or "
                    + $"restore the table.");
            }

            if (status.State == MigrationState.TooNew)
            {
                throw new StoreConfigurationException(
                    $"Schema '{database.SchemaName}' is too new for TaskRecovery {library.ToString(3)}: migration {status.Name} needs at "
                    + $"least {status.OldestLibrary}. Update the package.");
            }
        }

        return [.. applied.Select(static migration => migration.Version)];
    }

    private async ValueTask<List<AppliedMigration>> ReadRowsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new List<AppliedMigration>();
        if (!(await ReadStateAsync(connection, cancellationToken).ConfigureAwait(false)).HasTable)
        {
            return applied;
        }

        var command = Command(connection, MigrationSql.Applied, []);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            applied.Add(new AppliedMigration(
                reader.GetInt32(0),
                reader.GetString(1),
                reader.GetString(2),
                reader.GetString(3),
                await reader.GetFieldValueAsync<DateTimeOffset>(4, cancellationToken).ConfigureAwait(false)));
        }

        return applied;
    }

    private ValueTask RecordAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
        => RunAsync(
            connection,
            MigrationSql.Record,
            [Arg.Int4(migration.Version), Arg.Text(migration.Name), Arg.Text(migration.Checksum), Arg.Text(
                migration.OldestLibrary.ToString())],
            cancellationToken);

    // No time limit and not prepared: a migration of large tables takes long, and runs only once.
    private NpgsqlCommand Command(NpgsqlConnection connection, string statement, NpgsqlParameter[] args)
    {
        var command =
            new NpgsqlCommand(statement.Replace("{schema}", database.Schema, StringComparison.Ordinal), connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(args);
        return command;
    }

    private async ValueTask RunAsync(
        NpgsqlConnection connection, string statement, NpgsqlParameter[] args, CancellationToken cancellationToken)
    {
        var command = Command(connection, statement, args);
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
