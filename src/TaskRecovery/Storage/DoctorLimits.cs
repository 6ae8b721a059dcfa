using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>From where on a value is reported as a finding.</summary>
[Experimental("TASKRECOVERY001")]
public sealed record DoctorLimits
{
    private const long MiB = 1L << 20;

    /// <summary>The difference between the clocks of this machine and of the database.</summary>
    /// <value>Default: 5 seconds.</value>
    public TimeSpan ClockDifference { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The dead rows of a table, if they are more than the living ones.</summary>
    /// <value>Default: 100,000.</value>
    public long DeadRows { get; init; } = 100_000;

    /// <summary>The age of a transaction that keeps a snapshot, so that dead rows stay.</summary>
    /// <value>Default: 1 hour.</value>
    public TimeSpan Snapshot { get; init; } = TimeSpan.FromHours(1);

    /// <summary>The age of a prepared transaction.</summary>
    /// <value>Default: 5 minutes.</value>
    public TimeSpan PreparedTransaction { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>The write-ahead log that an unused replication slot keeps, in bytes.</summary>
    /// <value>Default: 1 GiB.</value>
    public long SlotBytes { get; init; } = 1024 * MiB;

    /// <summary>The fewest free connections.</summary>
    /// <value>Default: 10.</value>
    public int FreeConnections { get; init; } = 10;

    /// <summary>How long a node may hold an entry.</summary>
    /// <value>Default: 1 day.</value>
    public TimeSpan Claim { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The age since their end at which entries should have been removed: the longest of the application's retention times, and
    /// some time for the removal.</summary>
    /// <value>Default: 8 days.</value>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(8);

    /// <summary>The size of the table of waiting entries, if its rows need much less, in bytes.</summary>
    /// <value>Default: 512 MiB.</value>
    public long BloatBytes { get; init; } = 512 * MiB;

    /// <summary>The size of the write-ahead log of SQLite, in bytes.</summary>
    /// <value>Default: 64 MiB.</value>
    public long LogBytes { get; init; } = 64 * MiB;

    /// <summary>The least free space on the disk of a SQLite file, in bytes.</summary>
    /// <value>Default: 1 GiB.</value>
    public long FreeDiskBytes { get; init; } = 1024 * MiB;
}
