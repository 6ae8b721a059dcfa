using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using TaskRecovery.Dashboard.Api;
using TaskRecovery.TestSupport;

namespace TaskRecovery.Dashboard.Tests.Support;

/// <summary>The contract of the API, with the schemas of the types that the API writes.</summary>
internal sealed class ApiContract
{
    // As System.Text.Json writes a length of time.
    private const string TimePattern = @"^-?(\d+\.)?\d{2}:\d{2}:\d{2}(\.\d{1,7})?$";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>What each question is answered with; every action is answered with an <see cref="ApiAnswer"/>.</summary>
    private static readonly Dictionary<string, Type[]> Answers = new(StringComparer.Ordinal)
    {
        ["/snapshot"] = [typeof(QueueSnapshot), typeof(ApiSnapshot)],
        ["/kinds"] = [typeof(IReadOnlyList<KindSummary>)],
        ["/nodes"] = [typeof(IReadOnlyList<NodeSummary>)],
        ["/jobs"] = [typeof(ApiJobPage)],
        ["/tasks"] = [typeof(TaskPage)],
        ["/events"] = [typeof(EventPage)],
        ["/entries"] = [typeof(EntrySummaryPage)],
        ["/groups"] = [typeof(EntryGroups)],
        ["/entries/{id}"] = [typeof(EntryLife)],
        ["/operations"] = [typeof(ApiOperationPage)],
        ["/operations/{id}"] = [typeof(BulkOperation)],
        ["/operations/{id}/entries"] = [typeof(OperationEntryPage)],
        ["/throughput"] = [typeof(Throughput)],
        ["/jobs/{id}"] = [typeof(ApiJobDetails)],
        ["/entries/{id}/log"] = [typeof(IReadOnlyList<RunLogLine>)],
        ["/entries/{id}/steps/{n}"] = [typeof(ApiStep)],
        ["/entries/{id}/checkpoint"] = [typeof(ApiCheckpoint)],
        ["/search"] = [typeof(ApiSearch)],
    };

    private readonly SortedDictionary<string, JsonNode?> _types = new(StringComparer.Ordinal);

    private ApiContract()
    {
    }

    /// <summary>The path of the file.</summary>
    public static string FilePath { get; } = Path.Combine(RepositoryFolder.Root, "docs", "dashboard", "openapi.json");

    /// <summary>The contract as it is in the file.</summary>
    public static async Task<JsonObject> ReadAsync(CancellationToken cancellationToken)
        => (JsonObject)JsonNode.Parse(await File.ReadAllTextAsync(FilePath, cancellationToken))!;

    /// <summary>The text of the file.</summary>
    public static string Text(JsonObject contract) => contract.ToJsonString(Indented) + "\n";

    /// <summary>A contract with the schemas of the types that are written. Its descriptions are kept.</summary>
    public static JsonObject Complete(JsonObject contract)
    {
        var types = new ApiContract();
        var complete = (JsonObject)contract.DeepClone();
        foreach (var (path, methods) in (JsonObject)complete["paths"]!)
        {
            foreach (var (_, method) in (JsonObject)methods!)
            {
                var responses = method!["responses"]!;
                responses["200"]!["content"]!["application/json"]!["schema"]
                    = types.AnyOf(Answers.GetValueOrDefault(path) ?? [typeof(ApiAnswer)]);
                responses["default"]!["content"]!["application/problem+json"]!["schema"] = types.Of(typeof(ApiProblem));
            }
        }

        complete["components"]!["schemas"] = new JsonObject(types._types);
        KeepDescriptions(contract, complete);
        return complete;
    }

    /// <summary>Where two documents differ, with what is expected and what there is.</summary>
    public static IEnumerable<string> Differences(JsonNode? expected, JsonNode? actual, string path = "#")
    {
        if (JsonNode.DeepEquals(expected, actual))
        {
            return [];
        }

        if (expected is not JsonObject one || actual is not JsonObject other)
        {
            return [$"{path}: expected {expected?.ToJsonString() ?? "nothing"}, found {actual?.ToJsonString() ?? "nothing"}"];
        }

        return one.Select(static member => member.Key).Union(other.Select(static member => member.Key), StringComparer.Ordinal)
            .SelectMany(name => Differences(one[name], other[name], $"{path}/{name}"));
    }

    private JsonObject AnyOf(Type[] types)
        => types is [var only] ? Of(only) : new JsonObject { ["anyOf"] = new JsonArray([.. types.Select(type => (JsonNode)Of(type))]) };

    private JsonObject Of(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (Scalar(type) is { } scalar)
        {
            return scalar;
        }

        var info = ApiJson.Default.GetTypeInfo(type) ?? throw new InvalidOperationException($"The API does not write {type}.");
        return info.Kind switch
        {
            JsonTypeInfoKind.Enumerable => new JsonObject { ["type"] = "array", ["items"] = Of(type.GetGenericArguments()[0]) },
            JsonTypeInfoKind.Dictionary => new JsonObject
            {
                ["type"] = "object",
                ["additionalProperties"] = Of(type.GetGenericArguments()[1]),
            },
            JsonTypeInfoKind.Object => Reference(info),
            _ => throw new InvalidOperationException($"There is no rule for the schema of {type}."),
        };
    }

    // A type is described once, whichever types contain it.
    private JsonObject Reference(JsonTypeInfo info)
    {
        var name = info.Type.Name.Split('`')[0];
        name = name.StartsWith("Api", StringComparison.Ordinal) ? name[3..] : name;
        if (!_types.ContainsKey(name))
        {
            var schema = new JsonObject { ["type"] = "object" };
            _types[name] = schema;
            var members = info.Properties.Where(static member => member.Get is not null).ToList();
            schema["properties"] = new JsonObject(members.Select(
                member => KeyValuePair.Create(member.Name, (JsonNode?)Of(member.PropertyType))));
            JsonNode[] required = [.. members.Where(member => !IsOptional(info, member)).Select(static member => (JsonNode)member.Name)];
            if (required.Length > 0)
            {
                schema["required"] = new JsonArray(required);
            }
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{name}" };
    }

    // A null is omitted. A generic type does not say whether its members can be null; those of the only one here never are.
    private static bool IsOptional(JsonTypeInfo owner, JsonPropertyInfo member)
        => owner.Type != typeof(KeyValuePair<string, string>) && member.IsGetNullable;

    private static JsonObject? Scalar(Type type)
        => type.IsEnum
            ? new JsonObject
            {
                ["type"] = "string",
                ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(static name => (JsonNode)name)]),
            }
            : type == typeof(TimeSpan) ? new JsonObject { ["type"] = "string", ["pattern"] = TimePattern }
            : type == typeof(string) ? new JsonObject { ["type"] = "string" }
            : type == typeof(bool) ? new JsonObject { ["type"] = "boolean" }
            : type == typeof(int) ? Formatted("integer", "int32")
            : type == typeof(long) ? Formatted("integer", "int64")
            : type == typeof(double) ? Formatted("number", "double")
            : type == typeof(Guid) ? Formatted("string", "uuid")
            : type == typeof(DateTimeOffset) ? Formatted("string", "date-time")
            : null;

    private static JsonObject Formatted(string type, string format) => new() { ["type"] = type, ["format"] = format };

    private static void KeepDescriptions(JsonNode? from, JsonNode? to)
    {
        if (from is not JsonObject old || to is not JsonObject made)
        {
            return;
        }

        foreach (var (name, value) in old)
        {
            if (name == "description" && value is JsonValue && !made.ContainsKey(name))
            {
                made[name] = value.DeepClone();
            }
            else
            {
                KeepDescriptions(value, made[name]);
            }
        }
    }
}
