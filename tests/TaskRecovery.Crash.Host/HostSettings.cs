using System.Text.Json;

namespace TaskRecovery.Crash.Host;

/// <summary>What a test tells a child process: one JSON argument on its command line.</summary>
public sealed record HostSettings
{
    /// <summary>A PostgreSQL connection string; null for SQLite.</summary>
    public string? Postgres { get; init; }

    /// <summary>What the handlers' own connections use; null for <see cref="Postgres"/>.</summary>
    public string? ApplicationPostgres { get; init; }

    /// <summary>Whether the library uses a data source of the application, made of <see cref="ApplicationPostgres"/>.</summary>
    public bool UsesDataSource { get; init; }

    /// <summary>The schema in PostgreSQL.</summary>
    public string Schema { get; init; } = "taskrecovery";

    /// <summary>The SQLite file; null for PostgreSQL.</summary>
    public string? SqliteFile { get; init; }

    /// <summary>An explicit node name; null for the default.</summary>
    public string? NodeName { get; init; }

    /// <summary>How many entries run at once.</summary>
    public int Concurrency { get; init; } = 20;

    /// <summary>How many more are claimed ahead; null for the default.</summary>
    public int? Prefetch { get; init; }

    /// <summary>The file this process appends to.</summary>
    public required string JournalFile { get; init; }

    /// <summary>A fault point to die at (see the build property for fault points), and how many times it is passed before.</summary>
    public string? DieAt { get; init; }

    /// <summary>How many times the fault point is passed unharmed.</summary>
    public int DieAfter { get; init; }

    /// <summary>By how much the process's wall clock is wrong.</summary>
    public TimeSpan ClockError { get; init; }

    /// <summary>Whether nodes hold session locks (PostgreSQL).</summary>
    public bool UseSessionLocks { get; init; } = true;

    /// <summary>Whether nodes notify each other (PostgreSQL).</summary>
    public bool UseNotifications { get; init; } = true;

    /// <summary>How long a node may go without a heartbeat; null for the default.</summary>
    public TimeSpan? Lease { get; init; }

    /// <summary>How long a node may go without a heartbeat once its session lock is free (PostgreSQL); null for the default.</summary>
    public TimeSpan? Grace { get; init; }

    /// <summary>How long a statement may take (PostgreSQL); null for the default.</summary>
    public TimeSpan? CommandTimeout { get; init; }

    /// <summary>The interval of the probe job; null for no job.</summary>
    public TimeSpan? JobEvery { get; init; }

    /// <summary>How often the process enqueues something itself; null for never.</summary>
    public TimeSpan? EnqueueEvery { get; init; }

    /// <summary>How long running work may go on at a graceful stop.</summary>
    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Whether a graceful stop waits for minutes, and not for seconds, until handlers have reacted to their cancellation and their
    /// outcomes are stored.</summary>
    public bool PatientStop { get; init; }

    /// <summary>Whether the process does nothing but hold the SQLite file's write lock until it is killed.</summary>
    public bool HoldsWriteLock { get; init; }

    /// <summary>A rule to skip, for checking the checker: <c>fence</c> or <c>lost-answers</c>.</summary>
    public string? Without { get; init; }

    /// <summary>For the environment of a process that lives for seconds: code is not compiled a second time, which would take most of its
    /// processor time, no files are watched, and idle threads do not spin for work that the other processes need the processor
    /// for.</summary>
    public static IReadOnlyDictionary<string, string> ShortLived { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_TC_CallCountThreshold"] = "30000",
        ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0",
        ["DOTNET_hostBuilder__reloadConfigOnChange"] = "false",
    };

    public string ToArgument() => JsonSerializer.Serialize(this);

    public static HostSettings FromArgument(string argument)
        => JsonSerializer.Deserialize<HostSettings>(argument) ?? throw new ArgumentException("The settings are empty.", nameof(argument));
}
