using TaskRecovery.Benchmarks.Stores;

namespace TaskRecovery.Benchmarks;

/// <summary>A group of cases that are measured in alternation.</summary>
internal abstract class BenchmarkRow
{
    public abstract string Name { get; }

    public abstract string Title { get; }

    /// <summary>What is measured, in a sentence for the docs page.</summary>
    public abstract string Text { get; }

    /// <summary>Whether it is run although nobody named it.</summary>
    public virtual bool IsPartOfAll => true;

    /// <summary>The most rounds that make sense.</summary>
    public virtual int MostRounds => int.MaxValue;

    /// <summary>Prepares what the cases need and lists them.</summary>
    public abstract Task<IReadOnlyList<BenchmarkCase>> PrepareAsync(BenchmarkEnvironment environment);

    /// <summary>Removes what was prepared.</summary>
    public virtual ValueTask CleanUpAsync() => ValueTask.CompletedTask;
}

/// <summary>Where rows are measured.</summary>
internal sealed record BenchmarkEnvironment(IBenchmarkStore Store, bool Quick, double Minutes, int History, string? Tool)
{
    /// <summary>Whether rows that can do so also count statements, in a run of their own.</summary>
    public bool Statements { get; init; }

    /// <summary>The folder of a published copy of this program; <see langword="null"/> if there is none.</summary>
    public string? Published { get; init; }

    /// <summary>A size: smaller in a quick run.</summary>
    public int Size(int full, int quick) => Quick ? quick : full;
}
