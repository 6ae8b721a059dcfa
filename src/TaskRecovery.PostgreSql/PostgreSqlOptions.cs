namespace TaskRecovery;

/// <summary>Options of the store in PostgreSQL.</summary>
public sealed class PostgreSqlOptions
{
    /// <summary>The schema that contains the tables. It is created if it is missing and <see cref="MigrateOnStart"/> is on.</summary>
    /// <value>Default: <c>taskrecovery</c>. Any name that PostgreSQL accepts, spelled exactly as in the database: at most 63 bytes of
    /// UTF-8.</value>
    public string Schema { get; set; } = "taskrecovery";

    /// <summary>Whether the start of the host applies missing migrations. If the service's role has no right to change the schema, turn
    /// this off and call <see cref="IStoreMigrator"/> in a deployment step.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool MigrateOnStart { get; set; } = true;

    /// <summary>Whether nodes hold session locks, so that the death of a process is detected within the grace period instead of the lease.
    /// Turn this off, on every node, behind a pooler that shares a session between transactions; the store then uses no prepared statements
    /// and no session settings either.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool UseSessionLocks { get; set; } = true;

    /// <summary>Whether nodes are notified of new work by LISTEN and NOTIFY. If this is off, they only poll. Turn it off, on every node,
    /// behind a pooler that shares a session between transactions.</summary>
    /// <value>Default: <see langword="true"/>.</value>
    public bool UseNotifications { get; set; } = true;

    /// <summary>The time limit of one statement. Migrations have none.</summary>
    /// <value>Default: 30 seconds. From 1 second to 10 minutes.</value>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The connection string that <see cref="IQueueMonitor"/> reads with, for example of a read-only standby. What the monitor
    /// then shows is as old as the standby; the ages of heartbeats are those at the time up to which it has replayed.
    /// <see cref="IQueueMonitor.Current"/> and <see cref="IQueueOperator"/> do not use it: a preview counts what the operation
    /// changes.</summary>
    /// <value>Default: <see langword="null"/>: the store's own server, with at most two connections of a pool of its own.</value>
    public string? MonitorConnectionString { get; set; }
}
