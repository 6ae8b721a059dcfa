using System.Text.Json.Serialization;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Output;

/// <summary>The types that are written as JSON. <c>docs/cli.schema.json</c> describes them.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(QueueSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<QueueSummary>))]
[JsonSerializable(typeof(IReadOnlyList<KindSummary>))]
[JsonSerializable(typeof(IReadOnlyList<NodeSummary>))]
[JsonSerializable(typeof(IReadOnlyList<JobResult>))]
[JsonSerializable(typeof(OperationPage))]
[JsonSerializable(typeof(EntrySummaryPage))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(QueueEvent))]
[JsonSerializable(typeof(TaskPage))]
[JsonSerializable(typeof(LifeResult))]
[JsonSerializable(typeof(ActionResult))]
[JsonSerializable(typeof(EntryActionResult))]
[JsonSerializable(typeof(BulkResult))]
[JsonSerializable(typeof(EraseResult))]
[JsonSerializable(typeof(TriggerResult))]
[JsonSerializable(typeof(BackfillResult))]
[JsonSerializable(typeof(OperationDetails))]
[JsonSerializable(typeof(RecoveryReport))]
[JsonSerializable(typeof(DryRunResult))]
[JsonSerializable(typeof(MigrationResult))]
[JsonSerializable(typeof(BackupResult))]
[JsonSerializable(typeof(CheckResult))]
[JsonSerializable(typeof(DashboardResult))]
[JsonSerializable(typeof(ImportResult))]
[JsonSerializable(typeof(IReadOnlyList<StoreFinding>))]
internal sealed partial class CliJson : JsonSerializerContext;
