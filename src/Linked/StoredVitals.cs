using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>The state of a node's process, and the steps that its handlers are in, as JSON in the node's row or file.</summary>
internal static class StoredVitals
{
    /// <summary>How the steps begin in the JSON. They are its end, so that both stores can cut them off without reading it.</summary>
    internal const string Steps = "\"steps\":{";

    private const int MaxSteps = 20;

    /// <summary>Writes the JSON.</summary>
    internal static string Write(NodeVitals vitals, IEnumerable<(long Entry, string Step)> steps)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteNumber("memory", vitals.WorkingSetBytes);
            writer.WriteNumber("limit", vitals.MemoryLimitBytes);
            writer.WriteNumber("gc", Math.Round(vitals.GcPausePercent, 1));
            writer.WriteNumber("queue", vitals.ThreadPoolQueue);
            writer.WriteNumber("cpu", Math.Round(vitals.CpuPercent, 1));
            writer.WriteNumber("running", vitals.Running);
            writer.WriteStartObject("steps");
            foreach (var (entry, step) in steps.Take(MaxSteps))
            {
                writer.WriteString(entry.ToString(CultureInfo.InvariantCulture), step);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The JSON with the step of one entry, or of none: those of the others are not erased together with the entry.</summary>
    /// <param name="json">The JSON. Text without steps stays as it is.</param>
    /// <param name="entry">The entry; 0 for none.</param>
    internal static string? WithStepOf(string? json, long entry)
    {
        if (json is null)
        {
            return null;
        }

        var steps = json.IndexOf(Steps, StringComparison.Ordinal);
        if (steps < 0)
        {
            return json;
        }

        // A quotation mark inside a step is written as \u0022.
        var key = $"\"{entry.ToString(CultureInfo.InvariantCulture)}\":\"";
        var start = json.IndexOf(key, steps, StringComparison.Ordinal);
        var end = start < 0 ? -1 : json.IndexOf('"', start + key.Length);
        return json[..(steps + Steps.Length)] + (end < 0 ? "" : json[start..(end + 1)]) + "}}";
    }

    /// <summary>Reads the JSON. What can't be read, because a process was killed while it wrote, is as if it were missing.</summary>
    internal static NodeVitals? Read(string? json) => Read(json, entry: 0, out _);

    /// <summary>Reads the JSON, and the step that an entry was in.</summary>
    internal static NodeVitals? Read(string? json, long entry, out string? step)
    {
        step = null;
        if (string.IsNullOrEmpty(json))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            step = root.GetProperty("steps").TryGetProperty(entry.ToString(CultureInfo.InvariantCulture), out var found)
                ? found.GetString()
                : null;
            return new NodeVitals
            {
                WorkingSetBytes = root.GetProperty("memory").GetInt64(),
                MemoryLimitBytes = root.GetProperty("limit").GetInt64(),
                GcPausePercent = root.GetProperty("gc").GetDouble(),
                ThreadPoolQueue = root.GetProperty("queue").GetInt64(),
                CpuPercent = root.GetProperty("cpu").GetDouble(),
                Running = root.GetProperty("running").GetInt32(),
            };
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}
