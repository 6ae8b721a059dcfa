namespace TaskRecovery;

/// <summary>How the queue is kept in PostgreSQL.</summary>
public sealed class PostgreSqlOptions
{
    /// <summary>The schema that holds the tables. Created when it is missing and <see cref="MigrateOnStart"/> is on.</summary>
    /// <value>Default: <c>taskrecovery</c>. Any name that PostgreSQL takes, as it is spelled: at most 63 bytes of UTF-8.</value>
    public string Schema { get; set; } = "taskrecovery";

    /// <summary>Whether the host's start brings the tables up to date. Turn it off where the role has no right to, and call <see cref="IStoreMigrator"/> from a deployment step.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool MigrateOnStart { get; set; } = true;

    /// <summary>Whether nodes hold session locks, by which a killed process is noticed within the grace period instead of the lease. Turn it off behind a pooler that shares a session between transactions; prepared statements and session settings are then left alone too.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool UseSessionLocks { get; set; } = true;

    /// <summary>Whether nodes are told of new work by LISTEN and NOTIFY. Without it they poll. Turn it off behind a pooler that shares a session between transactions.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool UseNotifications { get; set; } = true;

    /// <summary>How long one statement may take. Migrations have no limit.</summary>
    /// <value>Default: 30 seconds. 1 second to 10 minutes.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);
}
