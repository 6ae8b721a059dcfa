namespace TaskRecovery.TestSupport;

/// <summary>What a test needs from its PostgreSQL server.</summary>
public sealed record PostgresServerOptions
{
    /// <summary>Whether the test stops, kills or restarts the server. It then gets a server of its own, started from binaries.</summary>
    public bool Controlled { get; init; }

    /// <summary>Whether commits reach the disk. Ordinary tests do not need that; benchmarks and power-loss tests do.</summary>
    public bool Fsync { get; init; }

    /// <summary>Whether pools keep the settings of the driver and the library, instead of being small and short-lived for many parallel
    /// tests. Needed by benchmarks, because a new connection plans each claim anew. Requires a server of the test's own.</summary>
    public bool DriverPools { get; init; }

    /// <summary>The server's connection limit.</summary>
    public int MaxConnections { get; init; } = 300;

    /// <summary>More settings for <c>postgresql.conf</c>, by name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
