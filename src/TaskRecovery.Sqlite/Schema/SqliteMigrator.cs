using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>Applies missing migrations, and reports tables that do not match this library.</summary>
internal sealed class SqliteMigrator(SqliteDatabase database, IReadOnlyList<Migration> migrations, Version library) : IStoreMigrator
{
    internal SqliteMigrator(SqliteDatabase database)
        : this(database, Known, typeof(SqliteMigrator).Assembly.GetName().Version!)
    {
    }

    /// <summary>All migrations of this library, in order.</summary>
    internal static IReadOnlyList<Migration> Known => Migration.LoadAll("Sqlite/Migrations/");

    public async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default)
    {
        var done = new List<string>();
        while (await database.WriteAsync(ApplyNext, cancellationToken).ConfigureAwait(false) is { } name)
        {
            done.Add(name);
        }

        return done;
    }

    /// <summary>Checks that no applied migration requires a newer library. Changes nothing.</summary>
    /// <returns>The names of the missing migrations.</returns>
    public async Task<IReadOnlyList<string>> FindMissingAsync(CancellationToken cancellationToken = default)
    {
        if (!File.Exists(database.Path))
        {
            return [.. migrations.Select(static migration => migration.Name)];
        }

        return await database.ReadAsync<IReadOnlyList<string>>(
            session =>
            {
                var applied = ReadApplied(session);
                return [.. migrations.Where(migration => !applied.Contains(migration.Version)).Select(static migration => migration.Name)];
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<MigrationStatus>> GetStatusAsync(CancellationToken cancellationToken = default)
    {
        var applied = File.Exists(database.Path) ? await database.ReadAsync(ReadRows, cancellationToken).ConfigureAwait(false) : [];
        return AppliedMigration.Compare(migrations, applied, library);
    }

    public Task<string> GetScriptAsync(int from = 1, CancellationToken cancellationToken = default)
        => Task.FromResult(SqliteMigrationScript.Write(MigrationScript.Select(migrations, from), isFirst: from == migrations[0].Version));

    // The write transaction serves as the lock: if two processes start at once, each migration is still applied once.
    private string? ApplyNext(SqliteSession session)
    {
        var applied = ReadApplied(session);
        if (migrations.FirstOrDefault(migration => !applied.Contains(migration.Version)) is not { } next)
        {
            return null;
        }

        if (applied.Count == 0 && !Exists(session, MigrationSql.TableExists))
        {
            session.Execute(MigrationSql.CreateTable);
        }

        session.Execute(next.Text);
        using var record = session.Prepare(MigrationSql.Record);
        record.Bind(1, next.Version).Bind(2, next.Name).Bind(3, next.Checksum).Bind(
            4, next.OldestLibrary.ToString()).Bind(5, database.Now()).Execute();
        return next.Name;
    }

    private HashSet<int> ReadApplied(SqliteSession session)
    {
        var applied = ReadRows(session);
        foreach (var status in AppliedMigration.Compare(migrations, applied, library))
        {
            if (status.State == MigrationState.Changed)
            {
                throw new StoreConfigurationException(
                    $"Migration {status.Name} in '{database.Path}' is not the one that this library carries: it was changed after it had "
                    + "been applied, or another build applied it. Use the library's release that applied it, or restore the file.");
            }

            if (status.State == MigrationState.TooNew)
            {
                throw new StoreConfigurationException(
                    $"'{database.Path}' is too new for TaskRecovery {library.ToString(3)}: migration {status.Name} needs at least "
                    + $"{status.OldestLibrary}. Update the package.");
            }
        }

        return [.. applied.Select(static migration => migration.Version)];
    }

    private static List<AppliedMigration> ReadRows(SqliteSession session)
    {
        var applied = new List<AppliedMigration>();
        if (!Exists(session, MigrationSql.TableExists))
        {
            return applied;
        }

        using var statement = session.Prepare(MigrationSql.Applied);
        while (statement.Step())
        {
            applied.Add(new AppliedMigration(
                statement.Int32(0), statement.Text(1), statement.Text(2), statement.Text(3), Micros.ToTime(statement.Int64(4))));
        }

        return applied;
    }

    private static bool Exists(SqliteSession session, string text)
    {
        using var statement = session.Prepare(text);
        return statement.Exists();
    }
}
