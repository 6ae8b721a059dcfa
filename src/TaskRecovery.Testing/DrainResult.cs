namespace TaskRecovery.Testing;

/// <summary>What a drain has run.</summary>
/// <param name="Runs">The runs, in the order in which they ended.</param>
public sealed record DrainResult(IReadOnlyList<DrainedRun> Runs)
{
    /// <summary>The runs that failed: those without attempts left, and those that are retried later.</summary>
    public IEnumerable<DrainedRun> Failures => Runs.Where(static run => run.End is RunEnd.Failed or RunEnd.Retried);

    /// <summary>Lists the runs.</summary>
    public override string ToString() => Runs.Count == 0 ? "Nothing was due." : string.Join('\n', Runs);
}
