namespace TaskRecovery.WebSample;

/// <summary>What the command line said.</summary>
internal sealed record ShopOptions
{
    /// <summary>The environment variable with the PostgreSQL connection string. Other users of a machine can read command lines.</summary>
    public const string PostgresVariable = "TASKRECOVERY_SAMPLE_POSTGRES";

    public required int Port { get; init; }

    /// <summary>A PostgreSQL connection string; without one the SQLite file in <see cref="Data"/> is used.</summary>
    public string? Postgres { get; init; }

    public required string Data { get; init; }

    /// <summary>Whether customers order by themselves.</summary>
    public required bool HasCustomers { get; init; }

    public string DatabasePath => Path.Combine(Data, "shop.db");

    public static string ReadPostgres() => Environment.GetEnvironmentVariable(PostgresVariable) is { Length: > 0 } connectionString
        ? connectionString
        : throw new InvalidOperationException($"Set {PostgresVariable} to a PostgreSQL connection string.");
}
