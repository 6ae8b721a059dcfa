using TaskRecovery.Nodes;
using TaskRecovery.Storage;

namespace TaskRecovery.Claims;

/// <summary>The outcome of one claimed entry that is not stored yet.</summary>
/// <param name="Outcome">The outcome to store.</param>
/// <param name="Claim">The claim of the entry.</param>
/// <param name="Kind">The kind of the entry, for metrics and logs.</param>
/// <param name="Suspicion">Which place of the <see cref="SuspectLimiter"/> it occupies, if any.</param>
/// <param name="ErrorType">The type of the handler's exception, for metrics.</param>
/// <param name="Counted">The outcome that metrics count; <see langword="null"/> if the outcome is not that of a
/// returned handler.</param>
internal readonly record struct PendingOutcome(
    RunOutcome Outcome, NodeClaim Claim, string Kind, Suspicion Suspicion, string? ErrorType = null, OutcomeKind? Counted = null)
{
    /// <summary>Whether the worker completed the entry in its own transaction, so that the commit decides.</summary>
    public bool IsAfterTransaction { get; init; }

    /// <summary>A call of the store about this entry that has to end first; <see langword="null"/> if there is none.</summary>
    public Task? After { get; init; }

    /// <summary>How often it was found to be blocked by an open transaction. From the first time on, it waits behind the
    /// others.</summary>
    public int Blocks { get; init; }

    /// <summary>How often the store refused it alone. After the first time, its result or error text was replaced.</summary>
    public int Refusals { get; init; }
}
