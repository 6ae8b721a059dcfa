using System.Text;
using System.Text.Json;

namespace TaskRecovery.Storage;

/// <summary>What a node says of itself when it joins, stored as JSON in its row.</summary>
internal sealed record StoredNodeInfo
{
    private const string HeartbeatName = "heartbeat_ms";

    /// <summary>The version of this library.</summary>
    public string? LibraryVersion { get; init; }

    /// <summary>The version of the application.</summary>
    public string? ApplicationVersion { get; init; }

    /// <summary>The interval between heartbeats.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The queues that the node serves.</summary>
    public IReadOnlyList<NodeQueue> Queues { get; init; } = [];

    /// <summary>The kinds that it can run.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = [];

    /// <summary>How long the last heartbeat may be ago: three intervals, because one may be late.</summary>
    public TimeSpan Patience => HeartbeatInterval * 3 > TimeSpan.FromSeconds(3) ? HeartbeatInterval * 3 : TimeSpan.FromSeconds(3);

    /// <summary>Whether a node that is not dead is silent, by the age of its last heartbeat.</summary>
    public bool IsSilent(TimeSpan heartbeatAge) => heartbeatAge > Patience;

    /// <summary>Writes the JSON.</summary>
    internal string Write()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            writer.WriteString("library", LibraryVersion);
            writer.WriteString("application", ApplicationVersion);
            writer.WriteNumber(HeartbeatName, (long)HeartbeatInterval.TotalMilliseconds);
            writer.WriteStartObject("queues");
            foreach (var queue in Queues)
            {
                writer.WriteNumber(queue.Name, queue.Concurrency);
            }

            writer.WriteEndObject();
            writer.WriteStartArray("kinds");
            foreach (var kind in Kinds)
            {
                writer.WriteStringValue(kind);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>Reads the JSON. A row that another version or program wrote must not make a list fail: what can't be read is left
    /// empty.</summary>
    internal static StoredNodeInfo Read(string? json)
    {
        if (string.IsNullOrEmpty(json))
        {
            return new StoredNodeInfo();
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            return new StoredNodeInfo();
        }
    }

    private static StoredNodeInfo Read(JsonElement root) => new()
    {
        LibraryVersion = Text(root, "library"),
        ApplicationVersion = Text(root, "application"),
        HeartbeatInterval = TimeSpan.FromMilliseconds(root.TryGetProperty(HeartbeatName, out var interval) ? interval.GetInt64() : 1000),
        Queues = root.TryGetProperty("queues", out var queues)
            ? [.. queues.EnumerateObject().Select(queue => new NodeQueue(queue.Name, queue.Value.GetInt32()))]
            : [],
        Kinds = root.TryGetProperty("kinds", out var kinds) ? [.. kinds.EnumerateArray().Select(kind => kind.GetString() ?? "")] : [],
    };

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;
}
