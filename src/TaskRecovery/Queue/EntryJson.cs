using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Queue;

/// <summary>How arguments, results, steps and checkpoints are written and read. A type whose values would not read back as they were written is refused (<see cref="JsonContract"/>).</summary>
internal sealed class EntryJson(IOptions<TaskRecoveryOptions> options)
{
    private readonly JsonSerializerOptions _options = Prepare(options.Value.Json);
    private readonly ConcurrentDictionary<Type, JsonTypeInfo> _checked = new();

    /// <exception cref="NotSupportedException">A value of this type would not read back as it was written.</exception>
    public byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Check(typeof(T)));

    /// <exception cref="NotSupportedException">A value of this type would not read back as it was written.</exception>
    public byte[] Write(object value, Type type) => JsonSerializer.SerializeToUtf8Bytes(value, Check(type));

    /// <exception cref="NotSupportedException">A value of this type would not read back as it was written.</exception>
    public T? Read<T>(ReadOnlyMemory<byte> json) => JsonSerializer.Deserialize(json.Span, (JsonTypeInfo<T>)Check(typeof(T)));

    /// <summary>Finds the contract of a type, and checks it the first time.</summary>
    /// <exception cref="NotSupportedException">The type has no contract, or a value of it would not read back as it was written.</exception>
    public JsonTypeInfo Check(Type type)
    {
        if (!_checked.TryGetValue(type, out var info))
        {
            info = JsonContract.Find(_options, type);
            _checked.TryAdd(type, info);
        }

        return info;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where reflection is enabled, which it is not in trimmed builds.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which it is not in native builds.")]
    private static JsonSerializerOptions Prepare(JsonSerializerOptions? given)
    {
        // Fields too: what is not written is gone in the next attempt.
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
