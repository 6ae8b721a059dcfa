using System.Text.Json;

namespace TaskRecovery.Cli.Import;

/// <summary>A job to create.</summary>
internal sealed record PlannedJob(string Kind, JsonElement Args, JobDefinition Definition)
{
    /// <summary>The job for a line.</summary>
    public string Describe(int maxAttempts)
        => $"job '{Definition.Name}' of '{Kind}', {Definition.Schedule}, {PlannedEntry.Attempts(maxAttempts)}: {PlannedEntry.Shown(Args)}";
}
