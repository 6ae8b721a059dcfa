using System.Buffers;
using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>Writes and checks the arguments of what is imported.</summary>
internal static class ArgsText
{
    private static readonly int MaxBytes = new TaskRecoveryOptions().MaxArgsBytes;

    /// <summary>Writes a JSON object whose values are JSON already.</summary>
    public static JsonElement ToObject(IEnumerable<(string Name, string Json)> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, json) in members)
            {
                writer.WritePropertyName(name);
                writer.WriteRawValue(json);
            }

            writer.WriteEndObject();
        }

        return Checked(JsonElement.Parse(buffer.WrittenSpan));
    }

    /// <summary>Throws if the library would refuse the arguments.</summary>
    /// <exception cref="ImportRefusedException">They are too large, or have a character that databases can't store.</exception>
    public static JsonElement Checked(JsonElement args)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(args, ImportJson.Default.JsonElement).Length;
        if (bytes > MaxBytes)
        {
            throw new ImportRefusedException($"its arguments have {bytes:N0} bytes of JSON, and at most {MaxBytes:N0} are stored");
        }

        return HasNul(args)
            ? throw new ImportRefusedException("its arguments have a text with a NUL character, which databases can't store")
            : args;
    }

    /// <summary>Writes a text as JSON.</summary>
    public static string Quote(string text) => JsonSerializer.Serialize(text, ImportJson.Default.String);

    /// <summary>Whether a text is one JSON value.</summary>
    public static bool IsJson(string text)
    {
        try
        {
            JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool HasNul(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.Contains('\0', StringComparison.Ordinal),
        JsonValueKind.Array => value.EnumerateArray().Any(HasNul),
        JsonValueKind.Object => value.EnumerateObject().Any(
            static member => member.Name.Contains('\0', StringComparison.Ordinal) || HasNul(member.Value)),
        _ => false,
    };
}
