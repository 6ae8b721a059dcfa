using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What runs say of themselves: progress and log lines. Both may be lost in a crash of the database, and are removed with their
/// entry.</summary>
[Experimental("TASKRECOVERY001")]
public interface IRunInfoStore
{
    /// <summary>Stores the progress of a run, in place of what an earlier run or report of the entry stored. Does nothing if the claim is
    /// no longer held by the node, the entry was erased, or a later run has reported.</summary>
    ValueTask SaveReportAsync(
        Guid nodeId, long entryId, long fence, long done, long? total, string? message, CancellationToken cancellationToken);

    /// <summary>Stores log lines of runs. Does nothing for entries that no longer exist or were erased.</summary>
    ValueTask AppendLogAsync(IReadOnlyList<RunLogPart> parts, CancellationToken cancellationToken);
}
