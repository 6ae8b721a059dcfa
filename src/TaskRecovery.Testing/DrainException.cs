namespace TaskRecovery.Testing;

/// <summary>A drain did not end as a test expects: a run failed, a run does not end, the entries never end, or some can't run.</summary>
public sealed class DrainException : TaskRecoveryException
{
    /// <summary>Creates one.</summary>
    public DrainException(string message, IReadOnlyList<DrainedRun> failures, Exception? innerException = null)
        : base(message, innerException)
        => Failures = failures;

    /// <summary>The runs that failed; empty if the drain failed for another reason.</summary>
    public IReadOnlyList<DrainedRun> Failures { get; }
}
