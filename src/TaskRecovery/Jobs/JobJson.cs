using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskRecovery.Jobs;

/// <summary>How the arguments of a job's entries are written and read: always the same, whatever the application's own JSON options, because stores write them too
/// (<c>{"jobId":"…","taskId":null}</c>).</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IntervalJobArgs))]
internal sealed partial class JobJson : JsonSerializerContext;
