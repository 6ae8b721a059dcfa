using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.Options;
using TaskRecovery.Queue;

namespace TaskRecovery.Testing.Runs;

/// <summary>The serializers of all tests. Reading the contract of a type costs more than a run, so it is done once per type and
/// options.</summary>
internal static class TestJson
{
    private static readonly EntryJson Default = Create(null);
    private static readonly ConditionalWeakTable<JsonSerializerOptions, EntryJson> ByOptions = [];

    public static EntryJson Of(JsonSerializerOptions? options) => options is null ? Default : ByOptions.GetValue(options, Create);

    private static EntryJson Create(JsonSerializerOptions? options)
        => new(Options.Create(new TaskRecoveryOptions { Json = options }), NoServices.Codecs);
}
