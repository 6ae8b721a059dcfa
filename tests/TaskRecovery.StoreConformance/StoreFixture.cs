using System.Data.Common;
using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance;

/// <summary>A fresh, empty store for one test, and the few things that a test has to do behind the store's back.</summary>
/// <remarks>One short class for each store. See docs/stores.md.</remarks>
public abstract class StoreFixture : IAsyncDisposable
{
    /// <summary>The queue's side of the store.</summary>
    public abstract IQueueStore Queue { get; }

    /// <summary>The side of jobs and tasks.</summary>
    public abstract IJobStore Jobs { get; }

    /// <summary>The migrations.</summary>
    public abstract IStoreMigrator Migrator { get; }

    /// <summary>Creates an empty place for the tables (a schema, a file) and the store over it.</summary>
    /// <param name="migrate">Whether to create the tables too.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    public abstract Task CreateAsync(bool migrate, CancellationToken cancellationToken);

    /// <summary>A second store over the same tables with nothing in common with the first one, as another process has it. The fixture disposes of it.</summary>
    public abstract IQueueStore OpenAnother();

    /// <summary>An open connection as a user of the library has it, whose transactions the store accepts. Unqualified tables that it creates must go with the store.</summary>
    public abstract Task<DbConnection> OpenConnectionAsync(CancellationToken cancellationToken);

    /// <summary>The clock that the store's times come from.</summary>
    public abstract Task<DateTimeOffset> GetTimeAsync(CancellationToken cancellationToken);

    /// <summary>Makes every stored time older, as if this much time had passed; newer for a negative one, as if the clock had been set back.</summary>
    public abstract Task ShiftTimeAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>Breaks the invariant for one entry, as a bug or a careless hand would.</summary>
    public abstract Task CorruptAsync(Corruption corruption, long entryId, CancellationToken cancellationToken);

    /// <summary>Takes an unfinished task's entry away (<c>tasks.entry_id</c> becomes null), as the system before this one left it.</summary>
    public abstract Task DetachTaskAsync(Guid taskId, CancellationToken cancellationToken);

    /// <summary>Says that a migration from the future, which needs a newer library than this one, has been applied.</summary>
    public abstract Task AddFutureMigrationAsync(CancellationToken cancellationToken);

    /// <summary>Removes it all.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>How an entry's place is broken.</summary>
public enum Corruption
{
    /// <summary>A waiting entry loses its row in waiting: it is nowhere.</summary>
    WaitingLost = 0,

    /// <summary>A running entry gets a row in waiting too.</summary>
    RunningAndWaiting = 1,

    /// <summary>An ended entry gets a row in waiting.</summary>
    EndedAndWaiting = 2,

    /// <summary>A running entry loses its claim: it is nowhere.</summary>
    ClaimLost = 3,

    /// <summary>A running entry is listed by a second claim.</summary>
    RunningTwice = 4,

    /// <summary>A waiting entry gets a final outcome as well.</summary>
    WaitingAndEnded = 5,

    /// <summary>A waiting entry's queue has a number without a name, here and in waiting.</summary>
    NameLost = 6,

    /// <summary>A waiting entry's row in waiting is of another queue than the entry.</summary>
    WaitingElsewhere = 7,
}
