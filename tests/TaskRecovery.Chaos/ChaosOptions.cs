namespace TaskRecovery.Chaos;

/// <summary>What the command line said.</summary>
internal sealed record ChaosOptions
{
    /// <summary><c>postgres</c> or <c>sqlite</c>.</summary>
    public required string Store { get; init; }

    /// <summary>What is done.</summary>
    public ChaosScenario Scenario { get; init; }

    /// <summary>Harm goes on until so many processes were killed.</summary>
    public required int Kills { get; init; }

    /// <summary>Harm goes on no longer than this.</summary>
    public required TimeSpan Limit { get; init; }

    /// <summary>What every choice follows from.</summary>
    public required int Seed { get; init; }

    /// <summary>Where the figures go as JSON.</summary>
    public string? Json { get; init; }

    /// <summary>How many worker processes are kept alive, the veterans beside them.</summary>
    public required int Workers { get; init; }

    /// <summary>Entries enqueued a second from outside the workers.</summary>
    public required int Rate { get; init; }

    /// <summary>How often every harm and fault point must have occurred, or the run does not count.</summary>
    public required int MinimumEach { get; init; }

    /// <summary>A rule that the workers skip, to see that the checker finds it: <c>fence</c> or <c>lost-answers</c>.</summary>
    public string? Without { get; init; }

    public bool IsPostgres => Store == "postgres";
}

/// <summary>What a run is made of.</summary>
internal enum ChaosScenario
{
    /// <summary>All kinds of work at a steady rate, all kinds of harm.</summary>
    All,

    /// <summary>All kinds of work at a steady rate, nodes that are cut off or stopped, and nothing else.</summary>
    Network,

    /// <summary>10,000 entries with steps, and a server that is restarted every 5 to 40 seconds until they have ended.</summary>
    Restarts,

    /// <summary>All kinds of work on a primary with a standby; primaries are killed and standbys promoted, and workers are killed beside
    /// it.</summary>
    Failover,
}
