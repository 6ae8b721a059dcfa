namespace TaskRecovery.Storage;

/// <summary>Why the overdue run of a job waits, as far as queues and kinds show it: a pause, or entries before it. Nodes that could run it
/// need no repair then.</summary>
internal sealed class OverdueRuns(IEnumerable<QueueSummary> queues, IEnumerable<KindSummary> kinds)
{
    /// <summary>How many of the last tasks of a job are read: only one of them can be the one that its planned run waits for.</summary>
    internal const int LastTasks = 5;

    private readonly ILookup<string, QueueSummary> _queues = queues.ToLookup(static queue => queue.Name, StringComparer.Ordinal);
    private readonly ILookup<string, KindSummary> _kinds = kinds.ToLookup(static kind => kind.Name, StringComparer.Ordinal);

    /// <summary>Returns the jobs without those whose planned run waits for an unfinished task.</summary>
    internal static List<Job> WithoutBusy(IEnumerable<Job> overdue, IEnumerable<TaskRecord> lastTasks)
    {
        var busy = lastTasks.Where(static task => task.State < TaskState.Completed).Select(static task => task.JobId).ToHashSet();
        return [.. overdue.Where(job => job.NextRunAt is null || !busy.Contains(job.Id))];
    }

    /// <summary>Whether a job has a planned run, and its queue or kind is paused. The pause is a finding of its own.</summary>
    internal bool IsPaused(Job job)
        => job.NextRunAt is not null && (QueueOf(job)?.Pause is not null || KindOf(job)?.Pause is not null);

    /// <summary>How long the oldest due entry of the job's queue has waited, if the queue is behind and the run waits in it;
    /// <see langword="null"/> otherwise.</summary>
    /// <remarks>A node that can't plan the job puts its entry back, so that no entry of its kind is due for long. If too many entries wait
    /// to count them all, those of the kind may not be known.</remarks>
    internal TimeSpan? WaitOf(Job job)
        => job.NextRunAt is not null
            && QueueOf(job) is { Nodes: > 0, OldestDue: { } oldest } && oldest > OverdueJob.Limit
            && KindOf(job) is { Nodes: > 0 } kind
            && (kind.OldestDue > OverdueJob.Limit || kind.Waiting.Precision == CountPrecision.AtLeast)
            ? oldest
            : null;

    private QueueSummary? QueueOf(Job job) => _queues[job.Queue].FirstOrDefault();

    private KindSummary? KindOf(Job job) => _kinds[TaskEntryKind.Of(job.Kind)].FirstOrDefault();
}
