using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The queue in PostgreSQL. One file for each aspect; the statements are in Sql/.</summary>
internal sealed partial class PostgreSqlQueueStore : IQueueStore
{
    private readonly PostgreSqlDatabase _database;
    private readonly TimeProvider _time;

    internal PostgreSqlQueueStore(PostgreSqlDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
        Names = new NameTable(database);
        Hints = new HintSender(database, time);
        Traits = new StoreTraits
        {
            System = "postgresql",
            UsesSessionLocks = database.Options.UseSessionLocks,
            LockProvesDeath = false,
            PollInterval = TimeSpan.FromSeconds(1),
            ProvesNobodyGetsIn = static exception => PostgreSqlErrors.ProvesNobodyGetsIn(exception),
        };
    }

    public StoreTraits Traits { get; }

    /// <summary>The numbers of kinds and queues; the job store uses the same.</summary>
    internal NameTable Names { get; }

    /// <summary>The claims that were handed out here.</summary>
    internal HandedClaims Handed { get; } = new();

    /// <summary>Tells listeners, after the commit.</summary>
    internal HintSender Hints { get; }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var migrator = new PostgreSqlMigrator(_database);
        if (_database.Options.MigrateOnStart)
        {
            await migrator.MigrateAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (await migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false) is { Count: > 0 } missing)
        {
            throw new StoreConfigurationException(
                $"Schema '{_database.SchemaName}' lacks the migrations {string.Join(", ", missing)}. Run IStoreMigrator.MigrateAsync with a role that may create tables, or set PostgreSqlOptions.MigrateOnStart.");
        }

        Names.Clear();
    }
}
