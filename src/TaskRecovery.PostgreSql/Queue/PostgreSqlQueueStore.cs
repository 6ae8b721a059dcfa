using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>The queue in PostgreSQL. One file per aspect; the statements are in Sql/.</summary>
internal sealed partial class PostgreSqlQueueStore : IQueueStore
{
    private readonly PostgreSqlDatabase _database;
    private readonly TimeProvider _time;

    internal PostgreSqlQueueStore(PostgreSqlDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
        Names = new NameTable(database);
        Changes = new EntryChanges(database);
        Hints = new HintSender(database, time);
        Commits = new CommitFollower(database);
        Transactions = new TransactionCheck(database);
        Traits = new StoreTraits
        {
            System = "postgresql",
            UsesSessionLocks = database.Options.UseSessionLocks,
            LockProvesDeath = false,
            PollInterval = TimeSpan.FromSeconds(1),
            IsServerRejectingAll = database.IsServerRejectingAll,
        };
    }

    public StoreTraits Traits { get; }

    /// <summary>The numbers of kinds and queues, shared with the job store.</summary>
    internal NameTable Names { get; }

    /// <summary>Cancels and retries entries, shared with the operations.</summary>
    internal EntryChanges Changes { get; }

    /// <summary>The claims that this process made.</summary>
    internal KnownClaims KnownClaims { get; } = new();

    /// <summary>Sends hints to listeners after a commit.</summary>
    internal HintSender Hints { get; }

    /// <summary>Follows callers' transactions.</summary>
    private CommitFollower Commits { get; }

    /// <summary>Checks which database callers' transactions are in.</summary>
    private TransactionCheck Transactions { get; }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await RequireSessionsAsync(cancellationToken).ConfigureAwait(false);
        await RequireUsableAsync(cancellationToken).ConfigureAwait(false);
        await RequireTrustedSchemaAsync(cancellationToken).ConfigureAwait(false);
        var migrator = new PostgreSqlMigrator(_database);
        if (_database.Options.MigrateOnStart)
        {
            await migrator.MigrateAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (await migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false) is { Count: > 0 } missing)
        {
            throw new StoreConfigurationException(
                $"Schema '{_database.SchemaName}' lacks the migrations {string.Join(", ", missing)}. Run IStoreMigrator.MigrateAsync with "
                + "a role that may create tables, or set PostgreSqlOptions.MigrateOnStart.");
        }

        Names.Clear();
        await Transactions.PrepareAsync(cancellationToken).ConfigureAwait(false);
    }

    // Called first: a statement prepared in a session that a pooler shares would affect the session's other clients.
    private async Task RequireSessionsAsync(CancellationToken cancellationToken)
    {
        var options = _database.Options;
        if ((options.UseSessionLocks || options.UseNotifications)
            && await _database.TranslateAsync(SessionProbe.IsSharedAsync, cancellationToken).ConfigureAwait(false))
        {
            throw new StoreConfigurationException(
                "A pooler between this process and PostgreSQL gives each transaction another session (PgBouncer's pool_mode = "
                + "transaction or statement). There are no session locks, notifications or prepared statements then: "
                + "set UseSessionLocks = false and UseNotifications = false in PostgreSqlOptions, the same on every node, or let the "
                + "pooler use session mode.");
        }
    }

    // The owner of a schema can drop and replace the objects in it.
    private async Task RequireTrustedSchemaAsync(CancellationToken cancellationToken)
    {
        var owner = await _database.ReadAsync(
            MigrationSql.ForeignOwner,
            [Arg.Text(_database.SchemaName)],
            static async (reader, token) => await reader.ReadAsync(token).ConfigureAwait(false) ? reader.GetString(0) : null,
            cancellationToken).ConfigureAwait(false);
        if (owner is not null)
        {
            throw new StoreConfigurationException(
                $"Schema '{_database.SchemaName}' belongs to the role '{owner}', which is neither this service's role (or one that it "
                + $"is a member of), nor the owner of the tables in it, nor the database's owner: it could replace them. "
                + $"Use alter schema {_database.Schema} owner to <the role that migrates>, or set PostgreSqlOptions.Schema to another "
                + $"schema.");
        }
    }

    // The library's own sessions request the isolation level when they begin. Sessions of the application's data source, or behind a
    // pooler, are used as they are and have to be checked.
    private async Task RequireUsableAsync(CancellationToken cancellationToken)
    {
        var (level, encoding) = await _database.ReadAsync(
            MigrationSql.Isolation,
            [],
            static async (reader, token) =>
            {
                await reader.ReadAsync(token).ConfigureAwait(false);
                return (reader.GetString(0), reader.GetString(1));
            },
            cancellationToken).ConfigureAwait(false);
        if (!string.Equals(encoding, "UTF8", StringComparison.Ordinal))
        {
            throw new StoreConfigurationException(
                $"The database's encoding is {encoding}, and the store needs UTF8: names, results and the texts of errors may have any "
                + "character, and one that the database can't hold would keep a run's outcome from being stored. "
                + "Create a database with encoding 'UTF8' template template0, move the data there (pg_dump, pg_restore), "
                + "and name it in the connection string.");
        }

        if (level is not ("read committed" or "read uncommitted"))
        {
            throw new StoreConfigurationException(
                $"Transactions of this role in this database are '{level}' by default (default_transaction_isolation), and the store "
                + $"needs 'read committed': a statement that has waited for a lock must see what was committed meanwhile, or runs of "
                + $"one job overlap. "
                + @"Use alter role <the service's role> set default_transaction_isolation = 'read committed', or where no pooler is "
                + @"between, Options=-c default_transaction_isolation=read\ committed in the connection string.");
        }
    }
}
