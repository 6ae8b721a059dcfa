namespace TaskRecovery.Benchmarks;

/// <summary>What to measure, and where the figures go.</summary>
internal sealed record BenchmarkOptions
{
    public required string Store { get; init; }

    public bool Quick { get; init; }

    public int Rounds { get; init; }

    public string? Json { get; init; }

    public string? Docs { get; init; }

    /// <summary>Whether the docs page keeps the rounds of earlier runs of the same cases beside the new ones.</summary>
    public bool Add { get; init; }

    public string? Only { get; init; }

    /// <summary>Whether the fleet row also counts statements, in a run after the one that it measures.</summary>
    public bool Statements { get; init; }

    public string? Note { get; init; }

    /// <summary>How long the retention row runs.</summary>
    public double Minutes { get; init; }

    /// <summary>How many ended entries the monitor row stores first.</summary>
    public int History { get; init; }

    /// <summary>The program that the row of commands measures; <see langword="null"/> for the one of this build.</summary>
    public string? Tool { get; init; }

    /// <summary>The folder of a published copy of this program, for the row of first seconds; <see langword="null"/> if there is
    /// none.</summary>
    public string? Published { get; init; }

    public IReadOnlyList<string> Rows { get; init; } = [];
}
