namespace TaskRecovery;

/// <summary>Applies the store's schema migrations explicitly, for applications that do not migrate at start-up.</summary>
public interface IStoreMigrator
{
    /// <summary>Applies every pending migration, each in its own transaction. Several nodes may call it concurrently.</summary>
    /// <returns>The names of the migrations that this call applied.</returns>
    /// <exception cref="StoreConfigurationException">The database schema is too new for this library version, a migration was changed after
    /// it had been applied, or permissions are missing.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default);

    /// <summary>Checks which migrations are missing, without changing anything.</summary>
    /// <returns>The names of the missing migrations, in the order in which they would be applied.</returns>
    /// <exception cref="StoreConfigurationException">The database schema is too new for this library version, or a migration was changed
    /// after it had been applied.</exception>
    Task<IReadOnlyList<string>> FindMissingAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the state of every migration, without changing anything: those that this library knows, and those that a newer
    /// library applied.</summary>
    /// <returns>The migrations, ordered by number.</returns>
    Task<IReadOnlyList<MigrationStatus>> GetStatusAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns the migrations as a script for the database's own tool, for a database that the application must not migrate. It
    /// leaves the same tables and the same record of migrations as <see cref="MigrateAsync"/>. The database is not opened.</summary>
    /// <param name="from">The number of the first migration. With 1, the script creates the tables; with a greater one, it fails unless
    /// the migration before is applied.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no migration with the number <paramref name="from"/>.</exception>
    Task<string> GetScriptAsync(int from = 1, CancellationToken cancellationToken = default);
}
