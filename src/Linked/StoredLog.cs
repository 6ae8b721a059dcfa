using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace TaskRecovery.Storage;

/// <summary>Log lines of a run as JSON.</summary>
internal static class StoredLog
{
    /// <summary>Writes the JSON.</summary>
    internal static string Write(IReadOnlyList<RunLogLine> lines)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartArray();
            foreach (var line in lines)
            {
                writer.WriteStartArray();
                writer.WriteStringValue(line.At);
                writer.WriteNumberValue((int)line.Level);
                writer.WriteStringValue(line.Category);
                writer.WriteStringValue(line.Message);
                writer.WriteEndArray();
            }

            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads the JSON. What can't be read is skipped.</summary>
    internal static IEnumerable<RunLogLine> Read(long fence, string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return
            [
                .. document.RootElement.EnumerateArray()
                    .Select(line => new RunLogLine(fence, line[0].GetDateTimeOffset(), (LogLevel)line[1].GetInt32(), line[2].GetString()
                        ?? "", line[3].GetString() ?? "")),
            ];
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            return [];
        }
    }
}
