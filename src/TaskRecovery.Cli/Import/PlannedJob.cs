using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>A job to create.</summary>
internal sealed record PlannedJob(string Kind, JsonElement Args, JobDefinition Definition)
{
    public override string ToString() => $"job '{Definition.Name}' of '{Kind}', {Definition.Schedule}: {PlannedEntry.Shown(Args)}";
}
