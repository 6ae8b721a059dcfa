using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;
using TaskRecovery.Kinds;

namespace TaskRecovery.Queue;

/// <summary>Serializes arguments, results, steps and checkpoints. Rejects types whose values would not survive a round trip through JSON
/// (<see cref="JsonContract"/>).</summary>
internal sealed class EntryJson(IOptions<TaskRecoveryOptions> options, PayloadCodecs codecs)
{
    private readonly JsonSerializerOptions _options = Prepare(options.Value.Json);
    private readonly ConcurrentDictionary<Type, JsonTypeInfo> _checked = new();

    /// <exception cref="NotSupportedException">A value of this type would not survive a round trip through JSON.</exception>
    public byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Check(typeof(T)));

    /// <exception cref="NotSupportedException">A value of this type would not survive a round trip through JSON.</exception>
    public byte[] Write(object value, Type type) => JsonSerializer.SerializeToUtf8Bytes(value, Check(type));

    /// <summary>Reads a stored payload, which a codec may have encoded.</summary>
    /// <exception cref="NotSupportedException">A value of this type would not survive a round trip through JSON.</exception>
    /// <exception cref="PayloadException">The payload can't be decoded.</exception>
    public T? Read<T>(ReadOnlyMemory<byte> stored)
        => JsonSerializer.Deserialize(codecs.Decode(stored).Span, (JsonTypeInfo<T>)Check(typeof(T)));

    /// <summary>Returns the JSON contract of a type, which is checked on first use.</summary>
    /// <exception cref="NotSupportedException">The type has no JSON contract, or a value of it would not survive a round trip through
    /// JSON.</exception>
    public JsonTypeInfo Check(Type type)
    {
        if (!_checked.TryGetValue(type, out var info))
        {
            info = JsonContract.Find(_options, type);
            _checked.TryAdd(type, info);
        }

        return info;
    }

    [UnconditionalSuppressMessage(
        "Trimming", "IL2026", Justification = "Only where reflection is enabled, which it is not in trimmed builds.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which it is not in native builds.")]
    private static JsonSerializerOptions Prepare(JsonSerializerOptions? given)
    {
        // Include fields, because a value that is not written is lost in the next attempt.
        var options = given is null ? new JsonSerializerOptions(JsonSerializerDefaults.Web) : new JsonSerializerOptions(given);
        options.IncludeFields = true;
        if (options.TypeInfoResolver is null && JsonSerializer.IsReflectionEnabledByDefault)
        {
            options.TypeInfoResolver = new DefaultJsonTypeInfoResolver();
        }

        options.TypeInfoResolver = options.TypeInfoResolver?.WithAddedModifier(JsonContract.RefuseDerivedInstances);
        return options;
    }
}
