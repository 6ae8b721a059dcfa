using System.Text.Json.Serialization;

namespace TaskRecovery.Sqlite;

/// <summary>JSON arrays that statements take and return.</summary>
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(long[]))]
internal sealed partial class EntryJsonContext : JsonSerializerContext;
