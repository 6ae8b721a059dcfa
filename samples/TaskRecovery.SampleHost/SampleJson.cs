using System.Text.Json.Serialization;

namespace TaskRecovery.SampleHost;

/// <summary>What the sample stores as JSON: arguments, results, and the results of steps.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(ReadDocsArgs))]
[JsonSerializable(typeof(Totals))]
[JsonSerializable(typeof(IReadOnlyList<MarkdownFile>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class SampleJson : JsonSerializerContext;
