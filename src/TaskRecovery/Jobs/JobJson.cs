using System.Text.Json;
using System.Text.Json.Serialization;

namespace TaskRecovery.Jobs;

/// <summary>The JSON format of the arguments of a job's entries (<c>{"jobId":"…","taskId":null}</c>). It does not depend on the
/// application's JSON options, because stores write these arguments too.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IntervalJobArgs))]
internal sealed partial class JobJson : JsonSerializerContext;
