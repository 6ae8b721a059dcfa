using TaskRecovery.Storage;

namespace TaskRecovery.StoreConformance.Model;

/// <summary>A claimed entry of a job, as the node that claimed it knows it.</summary>
internal sealed class ModelRun(ModelNode node, ClaimedEntry entry, long fence, IntervalJobArgs args)
{
    public ModelNode Node => node;

    public ClaimedEntry Entry => entry;

    public long Fence => fence;

    public IntervalJobArgs Args => args;

    /// <summary>What the store has answered to the start; <see langword="null"/> if the start was not requested, or its answer was
    /// lost.</summary>
    public TaskStart? Start { get; set; }

    /// <summary>Whether the handler runs.</summary>
    public bool IsActive { get; set; }

    /// <summary>Whether other runs of the job may run beside this one.</summary>
    public bool MayOverlap { get; set; }

    public TaskStartRequest Request
        => new(
            node.Node.Id, entry.Id, fence, args.JobId, args.TaskId, entry.Attempt, entry.Kind, args.DueAt, args.Overlap, args.IsPlanned);

    public override string ToString()
        => $"entry {entry.Id}/{fence} of job {args.JobId}{(args.Overlap is { } overlap ? $" with {overlap}" : "")}";
}
