namespace TaskRecovery;

/// <summary>Brings the store's tables up to date, for those who do not want it done at start.</summary>
public interface IStoreMigrator
{
    /// <summary>Applies every migration that is missing, each in a transaction of its own. Many nodes may call it at once.</summary>
    /// <returns>The names of the migrations that this call applied.</returns>
    /// <exception cref="StoreConfigurationException">The database is too new for this version of the library, a migration was changed after it had been applied, or rights are missing.</exception>
    Task<IReadOnlyList<string>> MigrateAsync(CancellationToken cancellationToken = default);
}
