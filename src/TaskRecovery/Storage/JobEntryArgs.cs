using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace TaskRecovery.Storage;

/// <summary>Writes the arguments of a job's entries. A store may write those of planned runs itself, which have all properties but an
/// overlap policy.</summary>
[Experimental("TASKRECOVERY001")]
public static class JobEntryArgs
{
    /// <summary>Writes the arguments.</summary>
    /// <param name="jobId">The job.</param>
    /// <param name="taskId">The task to run again; <see langword="null"/> for a new run.</param>
    /// <param name="dueAt">The due time of a planned run, or of a run that was requested for it.</param>
    /// <param name="overlap">The overlap policy of this run; <see langword="null"/> for that of the job.</param>
    /// <param name="isPlanned">Whether the schedule planned the run.</param>
    public static string Write(
        Guid jobId, Guid? taskId = null, DateTimeOffset? dueAt = null, OverlapPolicy? overlap = null, bool isPlanned = false)
        => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"jobId":"{{jobId}}","taskId":{{(taskId is null ? "null" : $"\"{taskId}\"")}}"""
            + $$"""{{(dueAt is null ? "" : $",\"dueAt\":\"{dueAt.Value.UtcDateTime:O}\"")}}"""
            + $$"""{{(overlap is null ? "" : $",\"overlap\":{(int)overlap}")}}{{(isPlanned ? ",\"isPlanned\":true" : "")}}}""");
}
