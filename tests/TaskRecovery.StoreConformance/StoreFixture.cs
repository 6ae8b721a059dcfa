using System.Data.Common;
using System.Globalization;
using System.Text;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>A fresh, empty store for one test, and the operations that a test performs without going through the store.</summary>
/// <remarks>Each store implements it in one short class. See docs/stores.md.</remarks>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>The store's queue.</summary>
    public abstract IQueueStore Queue { get; }

    /// <summary>The store's jobs and tasks.</summary>
    public abstract IJobStore Jobs { get; }

    /// <summary>The store's read model.</summary>
    public abstract IMonitorStore Monitor { get; }

    /// <summary>The actions and bulk operations of an operator.</summary>
    public abstract IOperationStore Operations { get; }

    /// <summary>What runs say of themselves.</summary>
    public abstract IRunInfoStore RunInfo { get; }

    /// <summary>The store's migrations.</summary>
    public abstract IStoreMigrator Migrator { get; }

    /// <summary>Creates an empty location for the tables (a schema, a file) and the store that uses it.</summary>
    /// <param name="migrate">Whether to create the tables too.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public abstract Task CreateAsync(bool migrate, CancellationToken cancellationToken);

    /// <summary>Opens a second store on the same tables that shares no objects with the first one, as in another process. The fixture
    /// disposes of it.</summary>
    public abstract IQueueStore OpenAnother();

    /// <summary>As <see cref="OpenAnother"/>, for bulk operations.</summary>
    public abstract IOperationStore OpenAnotherOperations();

    /// <summary>Opens a connection as a user of the library does; the store accepts its transactions. Tables that it creates without a
    /// schema name must be removed together with the store.</summary>
    public abstract Task<DbConnection> OpenConnectionAsync(CancellationToken cancellationToken);

    /// <summary>Returns the time of the clock that the store uses.</summary>
    public abstract Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken);

    /// <summary>Moves every stored time into the past, as if this much time had passed. A negative value moves it into the future, as if
    /// the clock had been set back.</summary>
    public abstract Task ShiftTimeAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>Breaks the invariant for one entry, as a bug or a manual edit could.</summary>
    public abstract Task CorruptAsync(Corruption corruption, long entryId, CancellationToken cancellationToken);

    /// <summary>Removes an unfinished task's entry (<c>tasks.entry_id</c> becomes null), as left by the predecessor of this
    /// library.</summary>
    public abstract Task DetachTaskAsync(Guid taskId, CancellationToken cancellationToken);

    /// <summary>Changes a column of a job to an SQL expression, as a manual edit could.</summary>
    public abstract Task SetJobAsync(string name, string column, string value, CancellationToken cancellationToken);

    /// <summary>Overwrites a column of a stored bulk operation.</summary>
    public abstract Task SetOperationAsync(long operationId, string column, string value, CancellationToken cancellationToken);

    /// <summary>Records a migration of a future version that requires a newer library.</summary>
    public abstract Task AddFutureMigrationAsync(CancellationToken cancellationToken);

    /// <summary>Returns how a table is called in this store.</summary>
    protected virtual string TableName(string table) => table;

    /// <summary>Returns all that a table contains, as text.</summary>
    public async Task<string> ReadTextAsync(string table, CancellationToken cancellationToken)
    {
        await using var connection = await OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.CommandText = $"select * from {TableName(table)}";
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var text = new StringBuilder();
        while (await reader.ReadAsync(cancellationToken))
        {
            for (var column = 0; column < reader.FieldCount; column++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{reader.GetValue(column)}\n");
            }
        }

        return text.ToString();
    }

    /// <summary>Removes the store and its tables.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>The ways to break the invariant for an entry.</summary>
public enum Corruption
{
    /// <summary>A waiting entry loses its row in waiting, so it has no state.</summary>
    WaitingLost = 0,

    /// <summary>A running entry gets a row in waiting too.</summary>
    RunningAndWaiting = 1,

    /// <summary>An ended entry gets a row in waiting.</summary>
    EndedAndWaiting = 2,

    /// <summary>A running entry loses its claim, so it has no state.</summary>
    ClaimLost = 3,

    /// <summary>A running entry is listed by a second claim.</summary>
    RunningTwice = 4,

    /// <summary>A waiting entry gets a final outcome as well.</summary>
    WaitingAndEnded = 5,

    /// <summary>A waiting entry's queue number has no name, both in the entry and in its row in waiting.</summary>
    NameLost = 6,

    /// <summary>A waiting entry's row in waiting has another queue than the entry.</summary>
    WaitingElsewhere = 7,

    /// <summary>A waiting or running entry loses its row in entries.</summary>
    EntryLost = 8,
}
