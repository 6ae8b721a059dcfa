using TaskRecovery.StoreConformance;
using TaskRecovery.StoreConformance.Jobs;
using TaskRecovery.StoreConformance.Monitoring;
using TaskRecovery.StoreConformance.Queue;
using TaskRecovery.StoreConformance.Recovery;
using TaskRecovery.StoreConformance.Workers;

namespace TaskRecovery.Sqlite.Tests.Conformance;

public sealed class SqliteEnqueueTests() : EnqueueTests(new SqliteFixture());

public sealed class SqliteUniqueKeyTests() : UniqueKeyTests(new SqliteFixture());

public sealed class SqliteClaimOrderTests() : ClaimOrderTests(new SqliteFixture());

public sealed class SqliteClaimTests() : ClaimTests(new SqliteFixture());

public sealed class SqliteLostEntryTests() : LostEntryTests(new SqliteFixture());

public sealed class SqliteClaimedEnqueueTests() : ClaimedEnqueueTests(new SqliteFixture());

public sealed class SqliteFenceTests() : FenceTests(new SqliteFixture());

public sealed class SqliteRepetitionTests() : RepetitionTests(new SqliteFixture());

public sealed class SqliteOutcomeTests() : OutcomeTests(new SqliteFixture());

public sealed class SqliteCancelTests() : CancelTests(new SqliteFixture());

public sealed class SqliteRetryTests() : RetryTests(new SqliteFixture());

public sealed class SqliteEraseTests() : EraseTests(new SqliteFixture());

public sealed class SqliteInspectTests() : InspectTests(new SqliteFixture());

public sealed class SqlitePollTests() : PollTests(new SqliteFixture());

public sealed class SqliteFinishInTransactionTests() : FinishInTransactionTests(new SqliteFixture());

public sealed class SqliteProgressTests() : ProgressTests(new SqliteFixture());

public sealed class SqliteRetentionTests() : RetentionTests(new SqliteFixture());

public sealed class SqliteSweepTests() : SweepTests(new SqliteFixture());

public sealed class SqliteCrashLoopTests() : CrashLoopTests(new SqliteFixture());

public sealed class SqliteLostAnswerTests() : LostAnswerTests(new SqliteFixture());

public sealed class SqliteNodeSessionTests() : NodeSessionTests(new SqliteFixture());

public sealed class SqliteJobTests() : JobTests(new SqliteFixture());

public sealed class SqliteManyJobsTests() : ManyJobsTests(new SqliteFixture());

public sealed class SqliteScheduleTests() : ScheduleTests(new SqliteFixture());

public sealed class SqliteTaskTests() : TaskTests(new SqliteFixture());

public sealed class SqliteExpiryTests() : ExpiryTests(new SqliteFixture());

public sealed class SqliteOverlapTests() : OverlapTests(new SqliteFixture());

public sealed class SqliteJobActionTests() : JobActionTests(new SqliteFixture());

public sealed class SqliteJobInvariantTests() : JobInvariantTests(new SqliteFixture());

public sealed class SqliteCronJobTests() : CronJobTests(new SqliteFixture());

public sealed class SqliteSkippedRunTests() : SkippedRunTests(new SqliteFixture());

public sealed class SqliteStartFactsTests() : StartFactsTests(new SqliteFixture());

public sealed class SqliteChangedPlanTests() : ChangedPlanTests(new SqliteFixture());

public sealed class SqlitePausedRunTests() : PausedRunTests(new SqliteFixture());

public sealed class SqliteDueTimeTests() : DueTimeTests(new SqliteFixture());

public sealed class SqliteRequestedRunTests() : RequestedRunTests(new SqliteFixture());

public sealed class SqliteTaskRecoveryTests() : TaskRecoveryTests(new SqliteFixture());

public sealed class SqliteInvariantTests() : InvariantTests(new SqliteFixture());

public sealed class SqliteMigrationTests() : MigrationTests(new SqliteFixture());

public sealed class SqliteModelTests() : ModelTests(new SqliteFixture());

public sealed class SqliteJobModelTests() : JobModelTests(new SqliteFixture());

public sealed class SqlitePayloadCodecTests() : PayloadCodecTests(new SqliteFixture());

public sealed class SqliteSnapshotTests() : SnapshotTests(new SqliteFixture());

public sealed class SqliteEntrySearchTests() : EntrySearchTests(new SqliteFixture());

public sealed class SqliteEndedSearchTests() : EndedSearchTests(new SqliteFixture());

public sealed class SqliteEntryLifeTests() : EntryLifeTests(new SqliteFixture());

public sealed class SqliteNodeListTests() : NodeListTests(new SqliteFixture());

public sealed class SqliteEventTests() : EventTests(new SqliteFixture());

public sealed class SqliteStatisticsTests() : StatisticsTests(new SqliteFixture());

public sealed class SqliteJobListTests() : JobListTests(new SqliteFixture());

public sealed class SqliteTaskListTests() : TaskListTests(new SqliteFixture());

public sealed class SqliteOperatorActionTests() : OperatorActionTests(new SqliteFixture());

public sealed class SqliteBulkOperationTests() : BulkOperationTests(new SqliteFixture());

public sealed class SqliteOperationScopeTests() : OperationScopeTests(new SqliteFixture());

public sealed class SqliteChangedMeanwhileTests() : ChangedMeanwhileTests(new SqliteFixture());

public sealed class SqliteRunInfoTests() : RunInfoTests(new SqliteFixture());
