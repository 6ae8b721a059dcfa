namespace TaskRecovery.Testing;

/// <summary>What a drain has run.</summary>
/// <param name="Runs">The runs, in the order in which they ended.</param>
public sealed record DrainResult(IReadOnlyList<DrainedRun> Runs)
{
    /// <summary>What was due at the end although the application can't run it, because it does not serve the queue or has no worker for the
    /// kind.</summary>
    public IReadOnlyList<UnservedWork> Unserved { get; init; } = [];

    /// <summary>The runs that failed: those without attempts left, those that are retried later, those that lost their claim, and those
    /// whose handler threw an error of the store, such as <see cref="StoreUnavailableException"/>.</summary>
    public IEnumerable<DrainedRun> Failures => Runs.Where(static run => run.IsFailure);

    /// <summary>Lists the runs, and what could not run.</summary>
    public override string ToString()
        => Runs.Count + Unserved.Count == 0
            ? "Nothing was due."
            : string.Join('\n', Runs.Select(static run => run.ToString()).Concat(Unserved.Select(static work => $"not run: {work}")));
}
