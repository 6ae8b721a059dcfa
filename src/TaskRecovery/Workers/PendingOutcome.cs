using TaskRecovery.Storage;

namespace TaskRecovery.Workers;

/// <summary>How one claimed entry ended, on its way to the store.</summary>
/// <param name="Outcome">What is stored.</param>
/// <param name="Claim">The claim it belongs to.</param>
/// <param name="Kind">Its kind, for metrics and logs.</param>
/// <param name="Suspicion">Whether it takes one of the places for suspects.</param>
/// <param name="ErrorType">What it threw, for metrics.</param>
/// <param name="Counted">What metrics count it as; <see langword="null"/> if no handler ran.</param>
internal readonly record struct PendingOutcome(RunOutcome Outcome, HeldClaim Claim, string Kind, Suspicion Suspicion, string? ErrorType = null, OutcomeKind? Counted = null)
{
    /// <summary>Whether the worker completed it in a transaction of its own, whose commit decides.</summary>
    public bool IsAfterTransaction { get; init; }

    /// <summary>Whether its text was skipped because the store had refused it.</summary>
    public bool IsReplaced { get; init; }
}
