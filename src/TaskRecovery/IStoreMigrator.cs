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
}
