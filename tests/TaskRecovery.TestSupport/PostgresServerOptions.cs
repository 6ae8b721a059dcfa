namespace TaskRecovery.TestSupport;

/// <summary>What a test needs from its PostgreSQL server.</summary>
public sealed record PostgresServerOptions
{
    /// <summary>The test stops, kills or restarts the server, so it needs one of its own, started from binaries.</summary>
    public bool Controlled { get; init; }

    /// <summary>Whether commits reach the disk. Ordinary tests do without; benchmarks and power-loss stories do not.</summary>
    public bool Fsync { get; init; }

    /// <summary>Whether pools are what the driver and the library make of them, and not small and short-lived ones for many tests. Benchmarks want that: on a new connection a claim is planned anew. Only for a server of one's own.</summary>
    public bool DriverPools { get; init; }

    /// <summary>The server's connection limit.</summary>
    public int MaxConnections { get; init; } = 300;

    /// <summary>More lines for <c>postgresql.conf</c>, by setting name.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);
}
