using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Tests.Reference;

/// <summary>The JSON schema of what each command writes with <c>--json</c>, made from the types that it writes.</summary>
internal static class CliSchema
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n" };

    private static readonly Dictionary<string, Type[]> Commands = new(StringComparer.Ordinal)
    {
        ["status"] = [typeof(QueueSnapshot)],
        ["list"] = [typeof(EntrySummaryPage)],
        ["show"] = [typeof(LifeResult)],
        ["jobs"] = [typeof(IReadOnlyList<JobResult>)],
        ["tasks"] = [typeof(TaskPage)],
        ["nodes"] = [typeof(IReadOnlyList<NodeSummary>)],
        ["queues"] = [typeof(IReadOnlyList<QueueSummary>)],
        ["kinds"] = [typeof(IReadOnlyList<KindSummary>)],
        ["events"] = [typeof(EventPage)],
        ["retry"] = [typeof(EntryActionResult), typeof(BulkResult), typeof(DryRunResult)],
        ["cancel"] = [typeof(EntryActionResult), typeof(BulkResult), typeof(DryRunResult)],
        ["pause"] = [typeof(ActionResult), typeof(DryRunResult)],
        ["resume"] = [typeof(ActionResult), typeof(DryRunResult)],
        ["job run"] = [typeof(TriggerResult), typeof(DryRunResult)],
        ["job backfill"] = [typeof(BackfillResult), typeof(DryRunResult)],
        ["job delete"] = [typeof(ActionResult), typeof(DryRunResult)],
        ["erase"] = [typeof(EraseResult), typeof(DryRunResult)],
        ["ops"] = [typeof(OperationPage)],
        ["ops list"] = [typeof(OperationPage)],
        ["ops show"] = [typeof(OperationDetails)],
        ["ops stop"] = [typeof(OperationDetails), typeof(DryRunResult)],
        ["ops continue"] = [typeof(BulkResult), typeof(DryRunResult)],
        ["undo"] = [typeof(BulkResult), typeof(DryRunResult)],
        ["recover"] = [typeof(RecoveryReport), typeof(DryRunResult)],
        ["migrate"] = [typeof(MigrationResult)],
        ["backup"] = [typeof(BackupResult)],
        ["check"] = [typeof(CheckResult)],
        ["doctor"] = [typeof(IReadOnlyList<StoreFinding>)],
        ["dashboard"] = [typeof(DashboardResult)],
        ["import hangfire"] = [typeof(ImportResult)],
        ["import quartz"] = [typeof(ImportResult)],
    };

    /// <summary>The commands that write JSON.</summary>
    public static IReadOnlyCollection<string> Names => Commands.Keys;

    /// <summary>The schemas of all commands, and of the types that they share.</summary>
    public static JsonObject Document { get; } = Create();

    /// <summary>The text of the file.</summary>
    public static string Text() => Document.ToJsonString(Indented) + "\n";

    private static JsonObject Create()
    {
        var (commands, types) = (new JsonObject(), new SortedDictionary<string, JsonNode>(StringComparer.Ordinal));
        foreach (var (command, written) in Commands)
        {
            JsonNode[] schemas = [.. written.Select(type => Of(type, types))];
            commands[command] = schemas.Length == 1 ? schemas[0] : new JsonObject { ["anyOf"] = new JsonArray(schemas) };
        }

        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "What each command of taskrecovery writes with --json. With --jsonl, a list is written as its items.",
            ["properties"] = commands,
            ["$defs"] = new JsonObject(types.Select(static type => KeyValuePair.Create(type.Key, (JsonNode?)type.Value))),
        };
    }

    private static JsonNode Of(Type type, SortedDictionary<string, JsonNode> types)
        => CliJson.Default.Options.GetJsonSchemaAsNode(type, new JsonSchemaExporterOptions
        {
            TreatNullObliviousAsNonNullable = true,
            TransformSchemaNode = (context, schema) => schema is JsonObject { } node
                && node["properties"] is JsonObject ? Name(context, node, types) : schema,
        });

    // A type that another one contains is described once.
    private static JsonNode Name(JsonSchemaExporterContext context, JsonObject schema, SortedDictionary<string, JsonNode> types)
    {
        schema["required"] = new JsonArray([.. ((JsonObject)schema["properties"]!).Select(static property => (JsonNode)property.Key)]);
        schema["additionalProperties"] = false;
        if (context.Path.IsEmpty)
        {
            return schema;
        }

        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var name = type.Name.Split('`')[0];
        var isNullable = schema["type"] is JsonArray;
        schema["type"] = "object";
        types[name] = schema;
        var reference = new JsonObject { ["$ref"] = $"#/$defs/{name}" };
        return isNullable ? new JsonObject { ["anyOf"] = new JsonArray(reference, new JsonObject { ["type"] = "null" }) } : reference;
    }
}
