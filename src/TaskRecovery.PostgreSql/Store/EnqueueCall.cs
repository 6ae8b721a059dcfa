using Npgsql;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql;

/// <summary>One call that stores entries: the numbers of their names, and how much of them goes into one statement.</summary>
/// <param name="table">Where numbers come from.</param>
/// <param name="entries">What is to be stored.</param>
/// <param name="names">The numbers of their queues and kinds.</param>
/// <param name="isOwn">Whether the transaction is the library's.</param>
internal sealed class EnqueueCall(NameTable table, IReadOnlyList<NewEntry> entries, NameNumbers names, bool isOwn)
{
    private int _maxEntries = EnqueueBatch.MaxEntries;
    private long _maxBytes = EnqueueBatch.MaxBytes;
    private NameNumbers _names = names;
    private bool _wasRefused;

    /// <summary>What is to be stored.</summary>
    internal IReadOnlyList<NewEntry> Entries => entries;

    /// <summary>Whether every statement has been answered: then the commit was asked for, and nobody knows whether it came.</summary>
    internal bool IsAnswered { get; set; }

    /// <summary>Whether smaller statements are possible.</summary>
    internal bool CanBeHalved => entries.Count > 1 && _maxEntries > 1;

    /// <summary>How many entries from <paramref name="start"/> on go into one statement.</summary>
    internal int Fitting(int start) => EnqueueBatch.Fitting(entries, start, _maxEntries, _maxBytes);

    /// <summary>The next try sends at most half as much in one statement.</summary>
    internal void Halve()
    {
        _maxEntries = Math.Max(1, Math.Min(_maxEntries, entries.Count) / 2);
        _maxBytes /= 2;
    }

    /// <summary>Arguments for some of the entries. A caller's transaction may see the database as it was before a name was added; what was just resolved again needs no check there.</summary>
    internal NpgsqlParameter[] ToArgs(IReadOnlyList<NewEntry> chunk) => EnqueueBatch.ToArgs(chunk, _names, isChecked: isOwn || !_wasRefused);

    /// <summary>The database has refused the numbers: reads them anew, once.</summary>
    internal async ValueTask ResolveAgainAsync(CancellationToken cancellationToken)
    {
        if (_wasRefused)
        {
            throw new StoreUnavailableException("The numbers of the entries' queues and kinds changed twice during this call: the database is being restored or emptied. Nothing was stored; try again.");
        }

        _wasRefused = true;
        table.Forget(_names);
        _names = await table.ResolveAsync(entries, cancellationToken).ConfigureAwait(false);
    }
}
