using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskRecovery.Cli.Import;

/// <summary>The types that imports read and write, so that a native build needs no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(StoredHangfireCall))]
internal sealed partial class ImportJson : JsonSerializerContext;
