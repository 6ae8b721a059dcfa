using System.Text.Json.Serialization;

namespace TaskRecovery.Cli.Output;

/// <summary>The types that are written as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    WriteIndented = true, GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(QueueSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<QueueSummary>))]
[JsonSerializable(typeof(IReadOnlyList<KindSummary>))]
[JsonSerializable(typeof(IReadOnlyList<NodeSummary>))]
[JsonSerializable(typeof(IReadOnlyList<JobResult>))]
[JsonSerializable(typeof(EntrySummaryPage))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(LifeResult))]
[JsonSerializable(typeof(ActionResult))]
[JsonSerializable(typeof(BulkResult))]
[JsonSerializable(typeof(MigrationResult))]
[JsonSerializable(typeof(CheckResult))]
internal sealed partial class CliJson : JsonSerializerContext;
