namespace TaskRecovery;

/// <summary>How the queue is kept in a SQLite file.</summary>
public sealed class SqliteOptions
{
    /// <summary>What a commit waits for.</summary>
    /// <value>Default: <see cref="SqliteSynchronous.Full"/>.</value>
    public SqliteSynchronous Synchronous { get; set; } = SqliteSynchronous.Full;

    /// <summary>Whether the host's start brings the tables up to date. Turn it off to do it by hand with <see cref="IStoreMigrator"/>.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool MigrateOnStart { get; set; } = true;

    /// <summary>How often a node looks for work at the latest. Work of the same process is noticed at once, and that of another one within 25 ms.</summary>
    /// <value>Default: 1 second. 10 milliseconds to 1 minute.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a write waits while another process, or a transaction of your own, holds the file's only write lock. Then it fails as unavailable.</summary>
    /// <value>Default: 30 seconds. 1 second to 10 minutes.</value>
    public TimeSpan BusyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Which users of the machine may use the files that the library creates: the database with its log, and the nodes' locks. Files that are there
    /// already keep what they have; the start warns when that is more. Not used on Windows, where files have the rights of their folder.</summary>
    /// <value>Default: the process's own user. Add <see cref="UnixFileMode.GroupRead"/> and <see cref="UnixFileMode.GroupWrite"/> if processes of several users of
    /// one group share the file. Both rights of the user are needed.</value>
    public UnixFileMode UnixCreateMode { get; set; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;
}

/// <summary>What a commit waits for.</summary>
public enum SqliteSynchronous
{
    /// <summary>For the disk: what was acknowledged survives a power failure.</summary>
    Full = 0,

    /// <summary>For the operating system only. A crash of the process loses nothing. A power failure or a crash of the operating system can take back
    /// the last commits: entries that were acknowledged are gone, and outcomes are gone, so that finished work runs again. The file stays sound.</summary>
    Normal = 1,
}
