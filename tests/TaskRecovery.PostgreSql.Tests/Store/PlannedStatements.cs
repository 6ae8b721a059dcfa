namespace TaskRecovery.PostgreSql.Tests.Store;

/// <summary>The statements that have to walk their indexes, whatever the planner knows of the tables.</summary>
internal static class PlannedStatements
{
    public const string PollTypes = "uuid, text[], smallint[], bigint[], text[]";

    private const string Claim = "uuid, int, smallint[], int, smallint[], timestamptz[], bigint[], int, smallint[], timestamptz[], "
        + "bigint[], int, smallint[], timestamptz[], bigint[], text, text[]";
    private const string Outcomes = "uuid, bigint[], bigint[], smallint[], int[], text[], text[], text[], interval[], boolean";
    private const string Entries = "int[], smallint[], smallint[], smallint[], text[], timestamptz[], interval[], interval[], text[], "
        + "text[], text[], int[], text[], int[], text[]";
    private const string Starts = "timestamptz, bigint[], bigint[], uuid[], smallint[], smallint[], text[], uuid[], timestamptz[], "
        + "text[], boolean[], timestamptz[], int[], smallint[], boolean[]";
    private const string Steps = "uuid, bigint[], bigint[], bigint[], uuid[], text[], text[]";
    private const string OneEntry = "int, smallint, smallint, smallint, text, timestamptz, interval, interval, text, text, text, text";
    private const string Purge = "bigint, bigint, bigint, bigint, bigint, bigint";
    private const string Heartbeat = "uuid, boolean, text, text[], text[], smallint, boolean";
    private const string AlikeEntries =
        "int, smallint, smallint, smallint, text[], timestamptz, interval, interval, text, text, text, text";

    /// <summary>All of them.</summary>
    /// <remarks>Few statements look for tasks by their ids in another way than the starts of runs do, and none of them is frequent: they
    /// may do so in the index that ends with the id.</remarks>
    public static IReadOnlyList<PlannedStatement> All { get; } =
    [
        new("claim_alone", Claim, ClaimSql.ClaimAlone),
        new("claim", Claim, ClaimSql.ClaimBesideOthers),
        new("last_chance", "int, smallint[], int", ClaimSql.HasLastChance),
        new("settled", "uuid, bigint[]", ClaimSql.RemoveSettled),
        new("heartbeat", Heartbeat, NodeSql.Heartbeat),
        new("heartbeat_only", Heartbeat, NodeSql.HeartbeatOnly),
        new("namesakes", "text", NodeSql.FindSameName),
        new("marked_dead", "uuid[], bigint[], smallint[], text, uuid[]", NodeSql.MarkDead),
        new("sessions_ended", "uuid[], bigint[], text", NodeSql.Terminate),
        new("node_left", "uuid", NodeSql.Leave),
        new("enqueued", Entries, EntrySql.Enqueue),
        new("enqueued_once", $"{Entries}, timestamptz[], text", EntrySql.EnqueueUnique),
        new("enqueued_in", Entries, EntrySql.EnqueueInTransaction),
        new("enqueued_once_in", $"{Entries}, timestamptz[]", EntrySql.EnqueueUniqueInTransaction),
        new("enqueued_in_again", Entries, EntrySql.EnqueueInTransactionAgain),
        new("enqueued_once_in_again", $"{Entries}, timestamptz[]", EntrySql.EnqueueUniqueInTransactionAgain),
        new("enqueued_one_in_again", OneEntry, EntrySql.EnqueueOneAgain),
        new("enqueued_one_once_again", $"{OneEntry}, text, timestamptz", EntrySql.EnqueueOneUniqueAgain),
        new("enqueued_one_in", OneEntry, EntrySql.EnqueueOne),
        new("enqueued_alike", AlikeEntries, EntrySql.EnqueueAlike),
        new("enqueued_alike_again", AlikeEntries, EntrySql.EnqueueAlikeAgain),
        new("enqueued_one_once", $"{OneEntry}, text, timestamptz, text", EntrySql.EnqueueOneUnique),
        new("enqueued_one_once_in", $"{OneEntry}, text, timestamptz", EntrySql.EnqueueOneUniqueInTransaction),
        new("enqueued_claimed", $"{Entries}, uuid, int, smallint[], smallint[], timestamptz[], bigint[]", EntrySql.EnqueueClaimed),
        new(
            "enqueued_one_claimed",
            "int, smallint, smallint, smallint, text, interval, text, text, text, text, uuid, smallint[], smallint[], timestamptz[], "
            + "bigint[]",
            EntrySql.EnqueueOneClaimed),
        new("read", "bigint[], boolean", OperatorSql.Read, MayScan: "claims"),
        new("asked_to_cancel", "bigint[]", OperatorSql.RequestCancel, MayScan: "claims"),
        new("locked_to_cancel", "bigint[]", OperatorSql.LockEntries),
        new("places_locked", "bigint[]", OperatorSql.LockPlaces),
        new("withdrawn", "bigint[], bigint[]", OperatorSql.WithdrawCancel),
        new("requested_tried", "bigint[]", CancelRequestSql.TryLockEntries),
        new("requested_found", "bigint[]", CancelRequestSql.Find),
        new("requested_ended", "bigint[], bigint[]", CancelRequestSql.SetFences),
        new("ends_locked", "bigint[]", OperatorSql.LockEnds),
        new("cancelled_locked", "bigint[], bigint[]", OperatorSql.LockCancelled),
        new("unrun", "bigint[], bigint[]", OperationSql.Unrun),
        new("ended_again", "bigint[], bigint[]", OperationSql.EndAgain),
        new("counted", "text, bigint", OperatorSql.Count, MayScan: "claims"),
        new("retried", "bigint[], boolean, timestamptz", OperatorSql.Retry),
        new("replanned", "bigint, smallint, text", JobSql.EndWaiting),
        new("cancelled", "bigint[], text", OperatorSql.CancelWaitingPlaces),
        new("ended", Outcomes, OutcomeSql.End),
        new("ended_once", Outcomes, OutcomeSql.EndOnce),
        new("followed", Outcomes, OutcomeSql.EndAndFollow),
        new("followed_once", Outcomes, OutcomeSql.EndAndFollowOnce),
        new("put_back", Outcomes, OutcomeSql.PutBack),
        new("found", "bigint[], bigint[], uuid", OutcomeSql.Find),
        new("steps_saved", Steps, StepSql.SaveSteps),
        new("steps_saved_once", Steps, StepSql.SaveStepsOnce),
        new("checkpoints_saved", "uuid, bigint[], bigint[], bigint[], text[]", StepSql.SaveCheckpointsOfEntries),
        new("task_checkpoints_saved", "uuid, bigint[], bigint[], bigint[], text[], uuid[]", StepSql.SaveCheckpointsOfTasks),
        new("reset_recorded", "uuid, bigint, bigint, bigint", StepSql.RecordReset),
        new("steps_of_entry_deleted", "bigint, bigint", StepSql.DeleteOfEntry),
        new("steps_of_task_deleted", "uuid, bigint", StepSql.DeleteOfTask),
        new("reported", "uuid, bigint, bigint, bigint, bigint, text", RunInfoSql.Report),
        new("logged", "bigint[], bigint[], int[], text[]", RunInfoSql.Append),
        new("swept", "bigint[], int, bigint[], bigint[], bigint[], bigint[]", RecoverySql.Sweep),
        new("swept_tasks_locked", "bigint[]", RecoverySql.LockTasks),
        new("requested_locked", "bigint[]", RecoverySql.LockRequested),
        new("locked", "bigint[]", RecoverySql.LockEntries),
        new("not_blocked", "bigint[]", OutcomeSql.NotBlocked),
        new("with_locked_jobs", "bigint[]", OutcomeSql.WithLockedJobs),
        new("with_locked_tasks", "bigint[]", OutcomeSql.WithLockedTasks),
        new("overdue_jobs", "bigint, bigint", JobSql.Overdue, MayScan: "jobs"),
        new("waited_for_job", "uuid", OutcomeSql.WaitForJob),
        new("paused_job", "uuid", PausedRunSql.TryLockJob),
        new("waited_for_paused_job", "uuid", PausedRunSql.WaitForJob),
        new("starts_locked", "uuid[]", StartSql.Lock),
        new("tasks_locked", "bigint[]", StartSql.LockTasks),
        new("waited_for_tasks", "bigint[]", StartSql.WaitForTasks),
        new("start_facts", "uuid[], bigint[], bigint[], uuid[], uuid[], timestamptz[], smallint[]", StartSql.Facts),
        new("starts_applied", Starts, StartSql.Apply),
        new("jobs_listed", "text, bigint", JobListSql.List),
        new("planned", "uuid[], timestamptz[]", JobSql.PlanMany),
        new("polled", PollTypes + ", text[]", PollSql.Poll),
        new("polled_recent", PollTypes, PollSql.PollRecent),
        new("ended_in", Outcomes, OutcomeSql.EndInTransaction),
        new("jobs_locked", "bigint[]", OutcomeSql.LockJobs),
        new("steps_of_entry", "bigint", StepSql.LoadOfEntry),
        new("steps_of_task", "uuid", StepSql.LoadOfTask),
        new("released", "bigint[], bigint[], bigint[]", RecoverySql.Release),
        new("restored", "bigint[], bigint[], timestamptz[], smallint[], smallint[], smallint[]", OperationSql.Restore),
        new("holders_expired", "bigint[], text", OperatorSql.EndExpired),
        new("replanned_many", "bigint[], smallint, text", JobSql.EndManyWaiting),
        new("unplanned_locked", "uuid, int", JobSql.LockUnplanned),
        new("paused_stored", "uuid[], bigint[]", PausedRunSql.Add),
        new("paused_woken", "uuid", PausedRunSql.Wake),
        new("tasks_recovered", "bigint, int, int", TaskSql.Recover, MayScan: "tasks"),
        new("tasks_closed", "int", TaskSql.CloseEnded, MayScan: "tasks"),
        new("blanked", "bigint", EraseSql.Blank),
        new("expired", "bigint, text, bigint", RetentionSql.Expire),
        new("heartbeats_purged", "", RetentionSql.PurgeHeartbeats),
        new("purged", Purge, RetentionSql.PurgeEnded, MayScan: "tasks"),
        new("purged_unwell", Purge, RetentionSql.PurgeUnwell, MayScan: "tasks"),
        new("purged_tasks", "uuid, bigint, bigint, bigint, bigint", RetentionSql.PurgeTasks, MayScan: "tasks"),
    ];

    /// <summary>The one with a text.</summary>
    public static PlannedStatement Of(string text) => All.Single(statement => statement.Text == text);
}
