namespace TaskRecovery.SampleHost;

/// <summary>What the command line said.</summary>
internal sealed record SampleOptions
{
    /// <summary>The environment variable with the PostgreSQL connection string. Other users of a machine can read command lines.</summary>
    public const string PostgresVariable = "TASKRECOVERY_SAMPLE_POSTGRES";

    /// <summary>The folder whose Markdown files the job reads.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the SQLite file, the report and the journal go.</summary>
    public required string Data { get; init; }

    /// <summary>A PostgreSQL connection string; without one the SQLite file in <see cref="Data"/> is used.</summary>
    public string? Postgres { get; init; }

    /// <summary>The time between runs.</summary>
    public required TimeSpan Every { get; init; }

    /// <summary>How long to linger over each file, so that a person can watch (and a demo can interrupt).</summary>
    public required TimeSpan Pace { get; init; }

    /// <summary>How long to linger over each file in the step that checks links; <see langword="null"/> as long as in the other
    /// steps.</summary>
    public TimeSpan? LinkPace { get; init; }

    /// <summary>Stop after the first task that completes.</summary>
    public required bool Once { get; init; }

    /// <summary>The name of the job.</summary>
    public required string Job { get; init; }

    public static string ReadPostgres() => Environment.GetEnvironmentVariable(PostgresVariable) is { Length: > 0 } connectionString
        ? connectionString
        : throw new InvalidOperationException($"Set {PostgresVariable} to a PostgreSQL connection string.");

    public string DatabasePath => Path.Combine(Data, "tasks.db");

    public string ReportPath => Path.Combine(Data, "report.md");

    public string JournalPath => Path.Combine(Data, "journal.txt");
}
