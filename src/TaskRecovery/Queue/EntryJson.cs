using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;

namespace TaskRecovery.Queue;

/// <summary>How arguments, results, steps and checkpoints are written and read.</summary>
internal sealed class EntryJson(IOptions<TaskRecoveryOptions> options)
{
    private readonly JsonSerializerOptions _options = Prepare(options.Value.Json);

    public byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)_options.GetTypeInfo(typeof(T)));

    public byte[] Write(object value, Type type) => JsonSerializer.SerializeToUtf8Bytes(value, _options.GetTypeInfo(type));

    public T? Read<T>(ReadOnlyMemory<byte> json) => JsonSerializer.Deserialize(json.Span, (JsonTypeInfo<T>)_options.GetTypeInfo(typeof(T)));

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Only where reflection is enabled, which it is not in trimmed builds.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "Only where reflection is enabled, which it is not in native builds.")]
    private static JsonSerializerOptions Prepare(JsonSerializerOptions? given)
    {
        if (given is null)
        {
            return JsonSerializer.IsReflectionEnabledByDefault ? JsonSerializerOptions.Web : new JsonSerializerOptions(JsonSerializerDefaults.Web);
        }

        if (given.TypeInfoResolver is not null || !JsonSerializer.IsReflectionEnabledByDefault)
        {
            return given;
        }

        return new JsonSerializerOptions(given) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
    }
}
