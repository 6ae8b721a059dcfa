using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Storage;

public sealed class OutcomeRulesTests
{
    public static TheoryData<OutcomeKind, OutcomeKind> AllPairs { get; } = new(
        from sent in Enum.GetValues<OutcomeKind>() from stored in Enum.GetValues<OutcomeKind>() select (sent, stored));

    [Theory]
    [MemberData(nameof(AllPairs))]
    public void Outcome_is_a_repetition_if_the_stored_one_has_its_effect(OutcomeKind sent, OutcomeKind stored)
    {
        var goesBack = sent is OutcomeKind.Retried or OutcomeKind.Snoozed or OutcomeKind.Released;
        var hasEnded = stored is OutcomeKind.Cancelled or OutcomeKind.Superseded;

        Assert.Equal(sent == stored || (goesBack && hasEnded), OutcomeRules.IsRepetition(sent, stored, null));
    }

    [Theory]
    [InlineData(EndReasons.CancelRequested, OutcomeKind.Released, EndReasons.CancelWithdrawn, true)]
    [InlineData(EndReasons.CancelRequested, OutcomeKind.Released, null, false)]
    [InlineData(EndReasons.CancelledByWorker, OutcomeKind.Released, EndReasons.CancelWithdrawn, false)]
    [InlineData(EndReasons.CancelRequested, OutcomeKind.Cancelled, EndReasons.CancelRequested, true)]
    public void A_cancellation_whose_request_was_withdrawn_is_stored_as_released(
        string reason, OutcomeKind stored, string? storedReason, bool expected)
        => Assert.Equal(expected, OutcomeRules.IsRepetition(
            new RunOutcome { EntryId = 1, Fence = 1, Kind = OutcomeKind.Cancelled, Reason = reason }, stored, storedReason));

    [Theory]
    [InlineData(OutcomeKind.Failed, OutcomeKind.Failed, EndReasons.AttemptsExhausted, true)]
    [InlineData(OutcomeKind.Failed, OutcomeKind.Failed, EndReasons.CrashLoop, false)]
    [InlineData(OutcomeKind.Retried, OutcomeKind.Cancelled, EndReasons.CancelRequested, true)]
    [InlineData(OutcomeKind.Snoozed, OutcomeKind.Cancelled, EndReasons.Overlap, true)]
    [InlineData(OutcomeKind.Snoozed, OutcomeKind.Snoozed, EndReasons.JobNotActive, true)]
    [InlineData(OutcomeKind.Released, OutcomeKind.Snoozed, EndReasons.JobNotActive, true)]
    [InlineData(OutcomeKind.Released, OutcomeKind.Snoozed, EndReasons.Overlap, false)]
    [InlineData(OutcomeKind.Completed, OutcomeKind.Snoozed, EndReasons.JobNotActive, false)]
    public void Reason_of_the_stored_outcome_decides_whether_its_handler_failed(
        OutcomeKind sent, OutcomeKind stored, string reason, bool expected)
        => Assert.Equal(expected, OutcomeRules.IsRepetition(sent, stored, reason));
}
