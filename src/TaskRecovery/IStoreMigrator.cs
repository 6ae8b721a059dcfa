namespace TaskRecovery;

/// <summary>Applies the store's schema migrations explicitly, for applications that do not migrate at start-up.</summary>
public interface IStoreMigrator
{
    /// <summary>Applies every pending migration, each in its own transaction. Several nodes may call it concurrently.</summary>
    /// <returns>The names of the migrations that this call applied.</returns>
    /// <exception cref="StoreConfigurationException">The database schema is too new for this library version, a migration was changed after
    /// it had been applied, or permissions are missing.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default);
}
