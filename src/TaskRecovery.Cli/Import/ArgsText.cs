using System.Buffers;
using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>Writes and checks the arguments of what is imported.</summary>
internal static class ArgsText
{
    private static readonly int MaxBytes = new TaskRecoveryOptions().MaxArgsBytes;

    /// <summary>Writes a JSON object whose values are JSON already.</summary>
    /// <exception cref="ImportRefusedException">The library would refuse it.</exception>
    public static JsonElement ToObject(IEnumerable<(string Name, string Json)> members) => Read(() =>
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

        return JsonElement.Parse(buffer.WrittenSpan);
    });

    /// <summary>Reads arguments, and throws if the library would refuse them.</summary>
    /// <param name="read">Reads them.</param>
    /// <exception cref="ImportRefusedException">They are too large or nested too deeply, or have a character that can't be
    /// stored.</exception>
    public static JsonElement Read(Func<JsonElement> read)
    {
        try
        {
            return Checked(read());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ImportRefusedException(
                "its arguments are no JSON of at most 64 levels, or have a text with half a character (a lone surrogate)");
        }
    }

    private static JsonElement Checked(JsonElement args)
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
