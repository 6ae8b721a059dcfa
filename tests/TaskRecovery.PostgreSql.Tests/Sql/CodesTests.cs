using System.Globalization;
using TaskRecovery.Storage;

namespace TaskRecovery.PostgreSql.Tests.Sql;

public sealed class CodesTests
{
    [Fact]
    public void Numbers_in_statements_are_those_of_the_enumerations()
    {
        Assert.Equal(
            Text(
                OutcomeKind.Completed, OutcomeKind.Failed, OutcomeKind.Cancelled,
                OutcomeKind.Retried, OutcomeKind.Snoozed, OutcomeKind.Released, OutcomeKind.Lost, OutcomeKind.Superseded),
            [
                Codes.OutcomeCompleted, Codes.OutcomeFailed, Codes.OutcomeCancelled,
                Codes.OutcomeRetried, Codes.OutcomeSnoozed, Codes.OutcomeReleased, Codes.OutcomeLost,
                Codes.OutcomeSuperseded,
            ]);
        Assert.Equal(
            Text(EntryState.Waiting, EntryState.Running, EntryState.Completed, EntryState.Failed, EntryState.Cancelled),
            [Codes.EntryWaiting, Codes.EntryRunning, Codes.EntryCompleted, Codes.EntryFailed, Codes.EntryCancelled]);
        Assert.Equal(
            Text(
                OperatorResult.Done, OperatorResult.NotEnded, OperatorResult.Completed, OperatorResult.KeyHeld, OperatorResult.Erased),
            [Codes.ResultDone, Codes.ResultNotEnded, Codes.ResultCompleted, Codes.ResultKeyHeld, Codes.ResultErased]);
        Assert.Equal(Text(BulkAction.Cancel, BulkAction.Undo), [Codes.BulkCancel, Codes.BulkUndo]);
        Assert.Equal(
            Text(OperationState.Prepared, OperationState.Running, OperationState.Ended, OperationState.Stopped),
            [Codes.OperationPrepared, Codes.OperationRunning, Codes.OperationEnded, Codes.OperationStopped]);
        Assert.Equal(Text(JobState.Active, JobState.Paused, JobState.Ended), [Codes.JobActive, Codes.JobPaused, Codes.JobEnded]);
        Assert.Equal(Text(OverlapPolicy.Allow, OverlapPolicy.QueueOne), [Codes.OverlapAllow, Codes.OverlapQueueOne]);
        Assert.Equal(
            Text(TaskState.Created, TaskState.Running, TaskState.Completed, TaskState.Failed, TaskState.Cancelled),
            [Codes.TaskCreated, Codes.TaskRunning, Codes.TaskCompleted, Codes.TaskFailed, Codes.TaskCancelled]);
        Assert.Equal("t.state < 2", Codes.TaskUnfinished);
        Assert.Equal(
            Text(QueueEventKind.NodeJoined, QueueEventKind.NodeLeft, QueueEventKind.NodeDied),
            [Codes.EventNodeJoined, Codes.EventNodeLeft, Codes.EventNodeDied]);
        Assert.Equal(
            Text(DeathProof.LeaseExpired, DeathProof.LockFree, DeathProof.ProcessGone, DeathProof.Left),
            [Codes.ProofLeaseExpired, Codes.ProofLockFree, Codes.ProofProcessGone, Codes.ProofLeft]);
        Assert.Equal(
            Text(FindingLevel.Ok, FindingLevel.Warning, FindingLevel.Problem),
            [Codes.FindingOk, Codes.FindingWarning, Codes.FindingProblem]);
        Assert.Equal(
            Text(EntryGrouping.Kind, EntryGrouping.Reason, EntryGrouping.Queue, EntryGrouping.State),
            [Codes.GroupKind, Codes.GroupReason, Codes.GroupQueue, Codes.GroupState]);
        Assert.Equal(Text(ThroughputGrouping.Queue, ThroughputGrouping.Kind), [Codes.ThroughputQueue, Codes.ThroughputKind]);
    }

    [Fact]
    public void The_kinds_for_which_a_rule_holds_are_a_list_of_numbers()
    {
        Assert.Equal("(3, 4, 5)", Codes.KindsThat(OutcomeRules.PutsBack));
        Assert.Equal("(0, 1, 2, 3, 7)", Codes.KindsThat(OutcomeRules.SpendsAttempt));
        Assert.Equal("(5, 6)", Codes.KindsThat(OutcomeRules.GoesFirst));
    }

    private static IEnumerable<string> Text<T>(params T[] values)
        where T : struct, Enum
        => values.Select(static value => Convert.ToInt32(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
}
