namespace TaskRecovery;

/// <summary>Options of the SQLite store.</summary>
public sealed class SqliteOptions
{
    /// <summary>What a commit waits for before it is acknowledged.</summary>
    /// <value>Default: <see cref="SqliteSynchronous.Full"/>.</value>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Full;

    /// <summary>Whether the host migrates the tables when it starts. If <see langword="false"/>, migrate them yourself with
    /// <see cref="IStoreMigrator"/>.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool MigrateOnStart { get; set; } = true;

    /// <summary>The interval of polls while a node has work, or while it can't watch the file for changes. An idle node that watches polls
    /// every 10 seconds, or at this interval if it is longer. New work of the same process is noticed at once, and that of another process
    /// usually within 30 ms, seldom after more than 70 ms.</summary>
    /// <value>Default: 1 second. Allowed: 10 milliseconds to 1 minute.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a write waits while another process, or a transaction of the application, holds the file's only write lock. After
    /// that it fails with <see cref="StoreUnavailableException"/>.</summary>
    /// <value>Default: 30 seconds. Allowed: 1 second to 10 minutes.</value>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The permissions of the files that the library creates: the database, its write-ahead log, and the nodes' lock and heartbeat
    /// files. Existing files keep their permissions; the host's start logs a warning if those allow more. Ignored on Windows, where files
    /// inherit the permissions of their folder.</summary>
    /// <value>Default: read and write for the process's user, which are always required. Add <see cref="UnixFileMode.GroupRead"/> and
    /// <see cref="UnixFileMode.GroupWrite"/> if processes of several users of one group share the file.</value>
    public UnixFileMode UnixCreateMode { get; set; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}
