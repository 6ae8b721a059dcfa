using System.Text;
using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>What was known of a node when it died with a run, as JSON in the outcome of the run.</summary>
internal static class StoredBlackBox
{
    /// <summary>The most entries that are listed as running beside a run.</summary>
    internal const int MaxBeside = 20;

    /// <summary>Writes the JSON.</summary>
    internal static string Write(IEnumerable<long> beside, TimeSpan? progressAge, DeathProof? proof, string? declaredBy, string? vitals)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("beside");
            foreach (var entry in beside.Take(MaxBeside))
            {
                writer.WriteNumberValue(entry);
            }

            writer.WriteEndArray();
            if (progressAge is { } age)
            {
                writer.WriteNumber("progress_us", age.Ticks / TimeSpan.TicksPerMicrosecond);
            }

            if (proof is { } known)
            {
                writer.WriteNumber("proof", (int)known);
            }

            writer.WriteString("by", declaredBy);
            writer.WriteString("vitals", vitals);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads the JSON. What can't be read is as if it were missing.</summary>
    internal static BlackBox? Read(string? json, long entry)
    {
        if (string.IsNullOrEmpty(json))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var vitals = StoredVitals.Read(Find(root, "vitals")?.GetString(), entry, out var step);
            return new BlackBox
            {
                Step = step,
                ProgressAge = Find(root, "progress_us") is { } age
                    ? TimeSpan.FromTicks(age.GetInt64() * TimeSpan.TicksPerMicrosecond)
                    : null,
                Vitals = vitals,
                RanBeside = [.. root.GetProperty("beside").EnumerateArray().Select(static other => other.GetInt64())],
                Proof = Find(root, "proof") is { } proof ? (DeathProof)proof.GetInt32() : DeathProof.Unknown,
                DeclaredBy = Find(root, "by")?.GetString(),
            };
        }
        catch (Exception exception)
            when (exception is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    private static JsonElement? Find(JsonElement root, string name)
        => root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
