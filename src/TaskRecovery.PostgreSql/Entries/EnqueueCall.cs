using System.Data.Common;
using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>One call that stores entries: the numbers of their names, and the size limits of its statements.</summary>
/// <param name="table">Resolves names to numbers.</param>
/// <param name="entries">The entries to store.</param>
/// <param name="names">The numbers of their queues and kinds.</param>
/// <param name="keyWait">How long a statement waits for another transaction that has taken or freed a unique key, if the transaction is the
/// library's; <see langword="null"/> if it is the caller's.</param>
internal sealed class EnqueueCall(NameTable table, IReadOnlyList<NewEntry> entries, NameNumbers names, TimeSpan? keyWait)
{
    private int _maxEntries = EnqueueBatch.MaxEntries;
    private long _maxBytes = EnqueueBatch.MaxBytes;
    private NameNumbers _names = names;
    private bool _wasRefused;

    /// <summary>Whether the transaction is the library's.</summary>
    internal bool IsOwn => keyWait is not null;

    /// <summary>Whether its statement will probably wait for a unique key, so that it uses a connection that nothing else waits
    /// for.</summary>
    internal bool IsBlocked { get; init; }

    /// <summary>The caller's transaction; <see langword="null"/> if the transaction is the library's.</summary>
    internal DbTransaction? Transaction { get; init; }

    /// <summary>What was stored in the caller's transaction; <see langword="null"/> if nothing was.</summary>
    internal StoredInTransaction? Stored { get; private set; }

    /// <summary>The entries to store.</summary>
    internal IReadOnlyList<NewEntry> Entries => entries;

    /// <summary>The holders of unique keys, according to the last statement, that may no longer start.</summary>
    internal List<long> Expired { get; } = [];

    /// <summary>The holders of unique keys, according to the last statement, that may have released them since it began.</summary>
    internal HashSet<long> MayHaveReleased { get; } = [];

    /// <summary>Whether every statement has been answered. From then on the commit has been requested, and an error leaves it unknown
    /// whether the entries are stored. <see langword="null"/> while no connection was found for the first statement.</summary>
    internal bool? IsAnswered { get; set; }

    /// <summary>Whether the next try can use smaller statements.</summary>
    internal bool CanBeHalved => entries.Count > 1 && _maxEntries > 1;

    /// <summary>The number of entries, from <paramref name="start"/> on, that fit into one statement.</summary>
    internal int Fitting(int start) => EnqueueBatch.Fitting(entries, start, _maxEntries, _maxBytes);

    /// <summary>Throws if the caller has ended its transaction. Called directly before each statement on its connection.</summary>
    /// <exception cref="ArgumentException">The transaction has ended.</exception>
    internal void RequireOpen(NpgsqlConnection connection)
    {
        if (Transaction is not null)
        {
            TransactionCheck.RequireOpen(Transaction, connection);
        }
    }

    /// <summary>Records that a statement has stored entries in the caller's transaction.</summary>
    internal void AddStored(ulong transaction, DateTimeOffset createdAt)
    {
        var stored = new StoredInTransaction(transaction, createdAt, createdAt);
        Stored = Stored?.With(stored) ?? stored;
    }

    /// <summary>Halves the size limits of the next try.</summary>
    internal void Halve()
    {
        _maxEntries = Math.Max(1, Math.Min(_maxEntries, entries.Count) / 2);
        _maxBytes /= 2;
    }

    /// <summary>The statement for one entry without a unique key and an expiry.</summary>
    internal string One => IsAgain ? EntrySql.EnqueueOneAgain : EntrySql.EnqueueOne;

    /// <summary>The statement for one entry with a unique key or an expiry.</summary>
    internal string OneUnique
        => IsOwn ? EntrySql.EnqueueOneUnique : IsAgain ? EntrySql.EnqueueOneUniqueAgain : EntrySql.EnqueueOneUniqueInTransaction;

    /// <summary>The statement for entries without unique keys and expiries, and its parameters.</summary>
    internal (string Statement, NpgsqlParameter[] Args) Many(IReadOnlyList<NewEntry> chunk)
        => EnqueueBatch.AreAlike(chunk)
            ? (IsAgain ? EntrySql.EnqueueAlikeAgain : EntrySql.EnqueueAlike, ToAlikeArgs(chunk))
            : (IsOwn ? EntrySql.Enqueue : IsAgain ? EntrySql.EnqueueInTransactionAgain : EntrySql.EnqueueInTransaction, ToArgs(chunk));

    /// <summary>The statement for entries some of which have unique keys or expire.</summary>
    internal string ManyUnique
        => IsOwn ? EntrySql.EnqueueUnique : IsAgain ? EntrySql.EnqueueUniqueInTransactionAgain : EntrySql.EnqueueUniqueInTransaction;

    // Whether the numbers were rejected in the caller's transaction and resolved again. Its snapshot may be older than they are.
    private bool IsAgain => !IsOwn && _wasRefused;

    /// <summary>Parameters for some of the entries.</summary>
    internal NpgsqlParameter[] ToArgs(IReadOnlyList<NewEntry> chunk) => EnqueueBatch.ToArgs(chunk, _names);

    /// <summary>Parameters of <see cref="EntrySql.EnqueueOne"/>.</summary>
    internal NpgsqlParameter[] ToArgs(NewEntry entry) => ToArgs(entry, Arg.Utf8(entry.Args));

    private NpgsqlParameter[] ToAlikeArgs(IReadOnlyList<NewEntry> chunk)
        => ToArgs(chunk[0], Arg.Array<ReadOnlyMemory<byte>>([.. chunk.Select(static entry => entry.Args)], NpgsqlDbType.Text));

    private NpgsqlParameter[] ToArgs(NewEntry entry, NpgsqlParameter args) =>
    [
        Arg.Int4(_names.Queue(entry.Queue)), Arg.Int2(_names.Kind(entry.Kind)), Arg.Int2(entry.Priority), Arg.Int2(entry.MaxAttempts),
        args, Arg.Time(entry.RunAt), Arg.Interval(entry.RunAfter), Arg.Interval(entry.Timeout),
        Arg.Text(entry.Metadata), Arg.Text(entry.TraceParent), Arg.Text(entry.Queue), Arg.Text(entry.Kind),
    ];

    /// <summary>Parameters of <see cref="OneUnique"/>.</summary>
    internal NpgsqlParameter[] ToUniqueArgs(NewEntry entry)
        => [.. ToArgs(entry), Arg.Text(entry.UniqueKey), Arg.Time(entry.ExpiresAt), .. KeyWaitArgs()];

    /// <summary>Parameters of <see cref="ManyUnique"/>.</summary>
    internal NpgsqlParameter[] ToUniqueArgs(IReadOnlyList<NewEntry> chunk)
        => [.. ToArgs(chunk), EnqueueBatch.ExpiryOf(chunk), .. KeyWaitArgs()];

    private NpgsqlParameter[] KeyWaitArgs()
        => keyWait is { } wait ? [Arg.Text(((long)wait.TotalMilliseconds).ToString(CultureInfo.InvariantCulture))] : [];

    /// <summary>Resolves the names again after the database rejected their numbers. Allowed once per call.</summary>
    /// <exception cref="StoreUnavailableException">The numbers were rejected a second time. Nothing was stored.</exception>
    internal async ValueTask ResolveAgainAsync(CancellationToken cancellationToken)
    {
        if (_wasRefused)
        {
            throw new StoreUnavailableException(
                "The numbers of the entries' queues and kinds changed twice during this call: the database is being restored or emptied, "
                + "or the transaction began before that. Nothing was stored; try again in a new transaction.");
        }

        _wasRefused = true;
        table.Forget(_names);
        _names = await table.ResolveAsync(entries, cancellationToken).ConfigureAwait(false);
    }
}
