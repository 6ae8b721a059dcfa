using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Numbers and reasons as the statements of both stores write them. A test compares the numbers with the
/// enumerations.</summary>
internal static class Codes
{
    internal const string OutcomeCompleted = "0";
    internal const string OutcomeFailed = "1";
    internal const string OutcomeCancelled = "2";
    internal const string OutcomeRetried = "3";
    internal const string OutcomeSnoozed = "4";
    internal const string OutcomeReleased = "5";
    internal const string OutcomeLost = "6";
    internal const string OutcomeSuperseded = "7";

    internal const string EntryWaiting = "0";
    internal const string EntryRunning = "1";
    internal const string EntryCompleted = "2";
    internal const string EntryFailed = "3";
    internal const string EntryCancelled = "4";

    internal const string ResultDone = "0";
    internal const string ResultNotEnded = "2";
    internal const string ResultCompleted = "3";
    internal const string ResultKeyHeld = "4";
    internal const string ResultErased = "5";

    internal const string BulkCancel = "1";
    internal const string BulkUndo = "2";

    /// <summary>In place of the fence of an entry that ran when an operation cancelled it: another request for the entry followed, so that
    /// it is not the operation's any more. No run has this fence.</summary>
    internal const string FenceOfOther = "0";

    internal const string OperationPrepared = "0";
    internal const string OperationRunning = "1";
    internal const string OperationEnded = "2";
    internal const string OperationStopped = "3";

    internal const string JobActive = "0";
    internal const string JobPaused = "1";
    internal const string JobEnded = "2";

    internal const string OverlapAllow = "1";
    internal const string OverlapQueueOne = "2";

    internal const string TaskCreated = "0";
    internal const string TaskRunning = "1";
    internal const string TaskCompleted = "2";
    internal const string TaskFailed = "3";
    internal const string TaskCancelled = "4";

    /// <summary>The condition of a task that has not ended; the indexes of unfinished tasks have the same condition.</summary>
    internal const string TaskUnfinished = $"t.state < {TaskCompleted}";

    internal const string EventNodeJoined = "0";
    internal const string EventNodeLeft = "1";
    internal const string EventNodeDied = "2";

    internal const string ProofLeaseExpired = "1";
    internal const string ProofLockFree = "2";
    internal const string ProofProcessGone = "3";
    internal const string ProofLeft = "4";

    internal const string FindingOk = "0";
    internal const string FindingWarning = "1";
    internal const string FindingProblem = "2";

    internal const string GroupKind = "0";
    internal const string GroupReason = "1";
    internal const string GroupQueue = "2";
    internal const string GroupState = "3";

    internal const string ThroughputQueue = "1";
    internal const string ThroughputKind = "2";

    internal const string CancelRequested = $"'{EndReasons.CancelRequested}'";
    internal const string CancelWithdrawn = $"'{EndReasons.CancelWithdrawn}'";
    internal const string CrashLoop = $"'{EndReasons.CrashLoop}'";
    internal const string Erased = $"'{EndReasons.Erased}'";
    internal const string JobDeleted = $"'{EndReasons.JobDeleted}'";
    internal const string JobNotActive = $"'{EndReasons.JobNotActive}'";
    internal const string NotStarted = $"'{EndReasons.NotStarted}'";
    internal const string TooOld = $"'{EndReasons.TooOld}'";

    /// <summary>The state of a task whose entry ended with an outcome.</summary>
    /// <param name="kind">The column with the kind of the outcome.</param>
    internal static string TaskStateOf(string kind)
        => $"case {kind} when {OutcomeCompleted} then {TaskCompleted} when {OutcomeFailed} then {TaskFailed} else {TaskCancelled} end";

    /// <summary>The kinds for which a rule holds, as a list in parentheses.</summary>
    internal static string KindsThat(Func<OutcomeKind, bool> rule)
        => $"({string.Join(", ", Enum.GetValues<OutcomeKind>().Where(rule).Select(
            static kind => ((int)kind).ToString(CultureInfo.InvariantCulture)))})";
}
