using System.Text.Json;
using System.Text.Json.Nodes;

namespace TaskRecovery.TestSupport;

/// <summary>Checks a value against the part of JSON Schema that the schemas in the documents use.</summary>
public static class SchemaCheck
{
    /// <summary>Returns what is wrong, with its path; empty if nothing is.</summary>
    /// <param name="root">The document that references are resolved in.</param>
    /// <param name="schema">The schema of the value.</param>
    /// <param name="value">The value.</param>
    public static IEnumerable<string> Of(JsonNode root, JsonNode schema, JsonElement value) => Of(root, schema, value, "$");

    private static IEnumerable<string> Of(JsonNode root, JsonNode schema, JsonElement value, string path)
    {
        if (schema is not JsonObject rules)
        {
            return schema.GetValue<bool>() ? [] : [$"{path}: nothing is allowed"];
        }

        if (rules["$ref"] is { } reference)
        {
            return Of(root, Resolve(root, reference.GetValue<string>()), value, path);
        }

        if (rules["anyOf"] is JsonArray choices)
        {
            var problems = choices.Select(choice => Of(root, choice!, value, path).ToArray()).ToArray();
            return problems.Any(static one => one.Length == 0) ? [] : problems.MinBy(static one => one.Length)!;
        }

        if (rules["enum"] is JsonArray names)
        {
            return names.Any(name => name?.ToJsonString() == value.GetRawText() || (name is null && value.ValueKind == JsonValueKind.Null))
                ? []
                : [$"{path}: {value.GetRawText()} is none of {names.ToJsonString()}"];
        }

        return IsType(rules["type"], value)
            ? InParts(root, rules, value, path)
            : [$"{path}: {value.ValueKind} is not {rules["type"]?.ToJsonString()}"];
    }

    private static IEnumerable<string> InParts(JsonNode root, JsonObject rules, JsonElement value, string path)
    {
        if (value.ValueKind == JsonValueKind.Array && rules["items"] is { } items)
        {
            return value.EnumerateArray().SelectMany((item, at) => Of(root, items, item, $"{path}[{at}]"));
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return [];
        }

        var missing = (rules["required"] as JsonArray ?? []).Select(static name => name!.GetValue<string>())
            .Where(name => !value.TryGetProperty(name, out _))
            .Select(name => $"{path}.{name}: missing");
        return missing.Concat(value.EnumerateObject().SelectMany(property =>
            rules["properties"]?[property.Name] is { } known ? Of(root, known, property.Value, $"{path}.{property.Name}")
            : rules["additionalProperties"] is { } other ? Of(root, other, property.Value, $"{path}.{property.Name}")
            : []));
    }

    private static bool IsType(JsonNode? type, JsonElement value) => type switch
    {
        null => true,
        JsonArray several => several.Any(one => IsType(one, value)),
        _ => (type.GetValue<string>(), value.ValueKind) switch
        {
            ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) => true,
            ("number", JsonValueKind.Number) or ("null", JsonValueKind.Null) => true,
            ("integer", JsonValueKind.Number) => value.TryGetInt64(out _),
            ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
            _ => false,
        },
    };

    // "#/$defs/Count"
    private static JsonNode Resolve(JsonNode root, string pointer)
        => pointer.Split('/').Skip(1).Aggregate(root, static (node, part) => node[part]!);
}
