using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The rules for outcomes as pure functions that every store calls: which of them repeat a stored outcome, and what each kind does
/// to its entry.</summary>
[Experimental("TASKRECOVERY001")]
public static class OutcomeRules
{
    /// <summary>Returns whether an outcome is accepted as a repetition: the outcome that is stored under its fence has the effect that
    /// storing it would have had. Usually the node has stored it before, and the answer was lost.</summary>
    /// <remarks>
    /// The store compares only with outcomes of the same node: another node's outcome is never a repetition. A run whose entry should have
    /// been put back may be stored as cancelled or superseded: because a cancel was requested, because its start skipped the run, or
    /// because a change of its job ended it before it started. Or as snoozed, because its start put it back until the end of a pause. An
    /// entry that a sweep has failed as <see cref="EndReasons.CrashLoop"/> did
    /// not fail by its handler: the node's outcome is lost.
    /// </remarks>
    /// <param name="sent">The kind of the outcome that arrives.</param>
    /// <param name="stored">The kind of the stored outcome of the same node.</param>
    /// <param name="storedReason">The reason of the stored outcome.</param>
    public static bool IsRepetition(OutcomeKind sent, OutcomeKind stored, string? storedReason)
        => sent == stored
            ? !string.Equals(storedReason, EndReasons.CrashLoop, StringComparison.Ordinal)
            : PutsBack(sent) && (stored is OutcomeKind.Cancelled or OutcomeKind.Superseded || WaitsForResume(stored, storedReason));

    /// <summary>As the other method, also for an outcome whose cancel request was withdrawn: it is stored as released.</summary>
    /// <param name="sent">The outcome that arrives.</param>
    /// <param name="stored">The kind of the stored outcome of the same node.</param>
    /// <param name="storedReason">The reason of the stored outcome.</param>
    public static bool IsRepetition(RunOutcome sent, OutcomeKind stored, string? storedReason)
    {
        ArgumentNullException.ThrowIfNull(sent);
        return IsRepetition(sent.Kind, stored, storedReason)
            || (EndsByRequest(sent) && stored == OutcomeKind.Released
                && string.Equals(storedReason, EndReasons.CancelWithdrawn, StringComparison.Ordinal));
    }

    /// <summary>Returns whether an outcome ends its entry only if a cancel is still requested when it is stored.</summary>
    /// <remarks>If the request was withdrawn, the handler stopped for nothing: the entry is released, with the reason
    /// <see cref="EndReasons.CancelWithdrawn"/>.</remarks>
    public static bool EndsByRequest(RunOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return outcome.Kind == OutcomeKind.Cancelled
            && string.Equals(outcome.Reason, EndReasons.CancelRequested, StringComparison.Ordinal);
    }

    /// <summary>Returns whether an outcome puts its entry back, unless a cancel is requested.</summary>
    public static bool PutsBack(OutcomeKind kind) => kind is OutcomeKind.Retried or OutcomeKind.Snoozed or OutcomeKind.Released;

    /// <summary>Returns whether an outcome ends its entry.</summary>
    public static bool Ends(OutcomeKind kind)
        => kind is OutcomeKind.Completed or OutcomeKind.Failed or OutcomeKind.Cancelled or OutcomeKind.Superseded;

    /// <summary>Returns whether an outcome spends the attempt of its run.</summary>
    public static bool SpendsAttempt(OutcomeKind kind) => kind is not (OutcomeKind.Snoozed or OutcomeKind.Released or OutcomeKind.Lost);

    /// <summary>Returns whether an entry that an outcome puts back runs before the entries without crashes if it has a single crash (see
    /// <see cref="CrashLevels.Of"/>): the entry did not choose to wait.</summary>
    public static bool GoesFirst(OutcomeKind kind) => kind is OutcomeKind.Released or OutcomeKind.Lost;

    // The start of the run has put its entry back until the end of its job's pause.
    private static bool WaitsForResume(OutcomeKind stored, string? storedReason)
        => stored == OutcomeKind.Snoozed && string.Equals(storedReason, EndReasons.JobNotActive, StringComparison.Ordinal);
}
