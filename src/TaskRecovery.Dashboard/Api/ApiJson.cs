using System.Text.Json.Serialization;

namespace TaskRecovery.Dashboard.Api;

/// <summary>How the API writes JSON, generated at build time.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(QueueSnapshot))]
[JsonSerializable(typeof(ApiSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<KindSummary>))]
[JsonSerializable(typeof(IReadOnlyList<NodeSummary>))]
[JsonSerializable(typeof(EntrySummaryPage))]
[JsonSerializable(typeof(EntryGroups))]
[JsonSerializable(typeof(EntryLife))]
[JsonSerializable(typeof(EventPage))]
[JsonSerializable(typeof(TaskPage))]
[JsonSerializable(typeof(ApiJobPage))]
[JsonSerializable(typeof(ApiOperationPage))]
[JsonSerializable(typeof(BulkOperation))]
[JsonSerializable(typeof(OperationEntryPage))]
[JsonSerializable(typeof(Throughput))]
[JsonSerializable(typeof(IReadOnlyList<RunLogLine>))]
[JsonSerializable(typeof(ApiStep))]
[JsonSerializable(typeof(ApiCheckpoint))]
[JsonSerializable(typeof(ApiJobDetails))]
[JsonSerializable(typeof(ApiSearch))]
[JsonSerializable(typeof(ApiAnswer))]
[JsonSerializable(typeof(ApiProblem))]
internal sealed partial class ApiJson : JsonSerializerContext;
