using System.Data.Common;
using Microsoft.Data.Sqlite;
using TaskRecovery.Storage;

namespace TaskRecovery.Sqlite;

/// <summary>The queue in a SQLite file.</summary>
internal sealed partial class SqliteQueueStore : IQueueStore, IDisposable
{
    // A larger batch takes longer than a group of ordinary writes. It runs after them, so that they do not wait for several large batches.
    private const int LongEntries = 1000;
    private const int LongBytes = 1024 * 1024;

    // A batch is one transaction, during which nothing else is stored by any process: about a second for this many entries.
    private const int MostEntries = 100_000;
    private const long MostBytes = 64 * 1024 * 1024;

    // ChangeWatcher reports the commits of every process. It checks without being notified as often as this, too.
    private static readonly TimeSpan LongestRest = TimeSpan.FromSeconds(10);

    private readonly SqliteDatabase _database;
    private readonly SqliteMigrator _migrator;
    private readonly SqliteMonitorStore _search;
    private readonly SqlitePoller _poller;

    public SqliteQueueStore(SqliteDatabase database, SqliteMigrator migrator, SqliteMonitorStore search)
    {
        _database = database;
        _migrator = migrator;
        _search = search;
        _poller = new SqlitePoller(database);
        Traits = new StoreTraits
        {
            System = "sqlite",
            UsesSessionLocks = true,
            LockProvesDeath = true,
            TakesBackQueuedWrites = true,
            BlocksWrites = database.IsWriting,
            PollInterval = database.Options.PollInterval,
            IdlePollInterval = LongestRest > database.Options.PollInterval ? LongestRest : database.Options.PollInterval,
        };
    }

    public StoreTraits Traits { get; }

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        _database.RefuseRelease();

        // The cached numbers are from an earlier registration, and the file may have been restored since.
        _database.Names.Clear();
        _database.Claims.Clear();
        if (_database.Options.MigrateOnStart)
        {
            await _migrator.MigrateAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (await _migrator.FindMissingAsync(cancellationToken).ConfigureAwait(false) is [var first, ..])
        {
            throw new StoreConfigurationException(
                $"'{_database.Path}' lacks migration {first}, and SqliteOptions.MigrateOnStart is off. Call IStoreMigrator.MigrateAsync() "
                + "in your deployment, or turn the option on.");
        }

        _database.WarnIfExposed();
    }

    public INodeSession OpenNodeSession() => new SqliteNodeSession(_database);

    public IQueueClaimer CreateClaimer(Guid nodeId, string queue, IReadOnlyCollection<string> kinds)
        => new SqliteClaimer(this, _database, nodeId, queue, kinds);

    public async Task ListenAsync(Action<StoreHint> onHint, CancellationToken cancellationToken)
    {
        using var listening = _database.Hints.Listen(onHint);
        try
        {
            await new ChangeWatcher(_database).RunAsync(onHint, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SqliteException or InvalidOperationException or FileReplacedException)
        {
            throw SqliteErrors.Translate(exception, _database.Path);
        }
    }

    public async ValueTask<EnqueueResult[]> EnqueueAsync(
        IReadOnlyList<NewEntry> entries, DbTransaction? transaction, CancellationToken cancellationToken)
    {
        if (entries.Count == 0)
        {
            return [];
        }

        if (transaction is not null)
        {
            var stored = await InCallersTransactionAsync(
                transaction, session => InsertAll(session, entries, isOwn: false), cancellationToken).ConfigureAwait(false);
            await RefuseOldHoldersAsync(transaction, entries, stored, cancellationToken).ConfigureAwait(false);
            return stored;
        }

        RefuseTooLarge(entries);
        var results = await _database.WriteAsync(
            session => InsertAll(session, entries, isOwn: true), cancellationToken, IsLong(entries)).ConfigureAwait(false);
        SendHints(entries, results);
        return results;
    }

    /// <summary>Closes the poller's connection. The database is closed by its creator.</summary>
    public void Dispose() => _poller.Dispose();

    internal static bool IsLong(IReadOnlyList<NewEntry> entries) => entries.Count > LongEntries || Bytes(entries) > LongBytes;

    private static long Bytes(IReadOnlyList<NewEntry> entries)
    {
        var bytes = 0L;
        for (var index = 0; index < entries.Count; index++)
        {
            bytes += EntrySizes.Of(entries[index]);
        }

        return bytes;
    }

    internal static void RefuseTooLarge(IReadOnlyList<NewEntry> entries)
    {
        if (entries.Count > MostEntries || Bytes(entries) is > MostBytes)
        {
            throw new ArgumentException(
                $"The batch has {entries.Count:N0} entries with {Bytes(entries):N0} bytes of arguments and metadata. On SQLite a batch is "
                + "stored in one transaction, and all other writes of every process wait for it: "
                + $"enqueue at most {MostEntries:N0} entries with {MostBytes:N0} bytes in one call, and divide larger batches. "
                + "If they have to be stored together, pass a transaction of your own.",
                nameof(entries));
        }
    }

    private EnqueueResult[] InsertAll(SqliteSession session, IReadOnlyList<NewEntry> entries, bool isOwn)
    {
        var moves = new EntryMoves(session, _database.Names, _database.Now(), isOwn);
        var results = new EnqueueResult[entries.Count];
        for (var index = 0; index < results.Length; index++)
        {
            results[index] = moves.Insert(entries[index]);
        }

        return results;
    }

    internal void SendHints(IReadOnlyList<NewEntry> entries, EnqueueResult[] results)
    {
        if (results is [{ IsDuplicate: false }])
        {
            _database.Hints.Work(entries[0].Queue);
            return;
        }

        foreach (var queue in results.Index().Where(result => !result.Item.IsDuplicate).Select(result => entries[result.Index].Queue)
            .Distinct(StringComparer.Ordinal))
        {
            _database.Hints.Work(queue);
        }
    }
}
