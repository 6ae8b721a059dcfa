using TaskRecovery.StoreConformance;
using TaskRecovery.StoreConformance.Jobs;
using TaskRecovery.StoreConformance.Monitoring;
using TaskRecovery.StoreConformance.Queue;
using TaskRecovery.StoreConformance.Recovery;
using TaskRecovery.StoreConformance.Workers;

namespace TaskRecovery.PostgreSql.Tests.Conformance;

public sealed class PostgreSqlEnqueueTests() : EnqueueTests(new PostgreSqlFixture());

public sealed class PostgreSqlUniqueKeyTests() : UniqueKeyTests(new PostgreSqlFixture());

public sealed class PostgreSqlClaimOrderTests() : ClaimOrderTests(new PostgreSqlFixture());

public sealed class PostgreSqlClaimTests() : ClaimTests(new PostgreSqlFixture());

public sealed class PostgreSqlLostEntryTests() : LostEntryTests(new PostgreSqlFixture());

public sealed class PostgreSqlClaimedEnqueueTests() : ClaimedEnqueueTests(new PostgreSqlFixture());

public sealed class PostgreSqlFenceTests() : FenceTests(new PostgreSqlFixture());

public sealed class PostgreSqlRepetitionTests() : RepetitionTests(new PostgreSqlFixture());

public sealed class PostgreSqlOutcomeTests() : OutcomeTests(new PostgreSqlFixture());

public sealed class PostgreSqlCancelTests() : CancelTests(new PostgreSqlFixture());

public sealed class PostgreSqlRetryTests() : RetryTests(new PostgreSqlFixture());

public sealed class PostgreSqlEraseTests() : EraseTests(new PostgreSqlFixture());

public sealed class PostgreSqlInspectTests() : InspectTests(new PostgreSqlFixture());

public sealed class PostgreSqlPollTests() : PollTests(new PostgreSqlFixture());

public sealed class PostgreSqlFinishInTransactionTests() : FinishInTransactionTests(new PostgreSqlFixture());

public sealed class PostgreSqlProgressTests() : ProgressTests(new PostgreSqlFixture());

public sealed class PostgreSqlRetentionTests() : RetentionTests(new PostgreSqlFixture());

public sealed class PostgreSqlSweepTests() : SweepTests(new PostgreSqlFixture());

public sealed class PostgreSqlCrashLoopTests() : CrashLoopTests(new PostgreSqlFixture());

public sealed class PostgreSqlLostAnswerTests() : LostAnswerTests(new PostgreSqlFixture());

public sealed class PostgreSqlNodeSessionTests() : NodeSessionTests(new PostgreSqlFixture());

public sealed class PostgreSqlJobTests() : JobTests(new PostgreSqlFixture());

public sealed class PostgreSqlManyJobsTests() : ManyJobsTests(new PostgreSqlFixture());

public sealed class PostgreSqlScheduleTests() : ScheduleTests(new PostgreSqlFixture());

public sealed class PostgreSqlTaskTests() : TaskTests(new PostgreSqlFixture());

public sealed class PostgreSqlExpiryTests() : ExpiryTests(new PostgreSqlFixture());

public sealed class PostgreSqlOverlapTests() : OverlapTests(new PostgreSqlFixture());

public sealed class PostgreSqlJobActionTests() : JobActionTests(new PostgreSqlFixture());

public sealed class PostgreSqlJobInvariantTests() : JobInvariantTests(new PostgreSqlFixture());

public sealed class PostgreSqlCronJobTests() : CronJobTests(new PostgreSqlFixture());

public sealed class PostgreSqlSkippedRunTests() : SkippedRunTests(new PostgreSqlFixture());

public sealed class PostgreSqlStartFactsTests() : StartFactsTests(new PostgreSqlFixture());

public sealed class PostgreSqlChangedPlanTests() : ChangedPlanTests(new PostgreSqlFixture());

public sealed class PostgreSqlPausedRunTests() : PausedRunTests(new PostgreSqlFixture());

public sealed class PostgreSqlDueTimeTests() : DueTimeTests(new PostgreSqlFixture());

public sealed class PostgreSqlRequestedRunTests() : RequestedRunTests(new PostgreSqlFixture());

public sealed class PostgreSqlTaskRecoveryTests() : TaskRecoveryTests(new PostgreSqlFixture());

public sealed class PostgreSqlInvariantTests() : InvariantTests(new PostgreSqlFixture());

public sealed class PostgreSqlMigrationTests() : MigrationTests(new PostgreSqlFixture());

public sealed class PostgreSqlModelTests() : ModelTests(new PostgreSqlFixture());

public sealed class PostgreSqlJobModelTests() : JobModelTests(new PostgreSqlFixture());

public sealed class PostgreSqlWithoutSessionLocksNodeSessionTests() : NodeSessionTests(new PostgreSqlFixture(useSessionLocks: false));

public sealed class PostgreSqlWithoutSessionLocksFenceTests() : FenceTests(new PostgreSqlFixture(useSessionLocks: false));

public sealed class PostgreSqlWithoutSessionLocksSweepTests() : SweepTests(new PostgreSqlFixture(useSessionLocks: false));

public sealed class PostgreSqlPayloadCodecTests() : PayloadCodecTests(new PostgreSqlFixture());

public sealed class PostgreSqlSnapshotTests() : SnapshotTests(new PostgreSqlFixture());

public sealed class PostgreSqlEntrySearchTests() : EntrySearchTests(new PostgreSqlFixture());

public sealed class PostgreSqlEndedSearchTests() : EndedSearchTests(new PostgreSqlFixture());

public sealed class PostgreSqlEntryLifeTests() : EntryLifeTests(new PostgreSqlFixture());

public sealed class PostgreSqlNodeListTests() : NodeListTests(new PostgreSqlFixture());

public sealed class PostgreSqlEventTests() : EventTests(new PostgreSqlFixture());

public sealed class PostgreSqlStatisticsTests() : StatisticsTests(new PostgreSqlFixture());

public sealed class PostgreSqlJobListTests() : JobListTests(new PostgreSqlFixture());

public sealed class PostgreSqlTaskListTests() : TaskListTests(new PostgreSqlFixture());

public sealed class PostgreSqlOperatorActionTests() : OperatorActionTests(new PostgreSqlFixture());

public sealed class PostgreSqlBulkOperationTests() : BulkOperationTests(new PostgreSqlFixture());

public sealed class PostgreSqlOperationScopeTests() : OperationScopeTests(new PostgreSqlFixture());

public sealed class PostgreSqlChangedMeanwhileTests() : ChangedMeanwhileTests(new PostgreSqlFixture());

public sealed class PostgreSqlRunInfoTests() : RunInfoTests(new PostgreSqlFixture());
