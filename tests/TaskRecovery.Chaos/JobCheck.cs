namespace TaskRecovery.Chaos;

/// <summary>Reads the runs of the jobs that were changed.</summary>
internal static class JobCheck
{
    private const int MostRuns = 500;

    /// <summary>A job that was changed to run once, and whose change was acknowledged, has run once at that time.</summary>
    public static async Task<IReadOnlyList<string>> FindBrokenAsync(
        JobChanger changer, ITaskService tasks, LostWindows lost, CancellationToken cancellationToken)
    {
        var broken = new List<string>();
        foreach (var once in changer.Once)
        {
            var page = await tasks.ListAsync(new TaskQuery { JobId = once.Job, Limit = MostRuns }, cancellationToken);
            var runs = page.Tasks.Where(task => task.DueAt == once.DueAt).ToList();
            if (runs is [{ State: TaskState.Completed } or { State: TaskState.Failed, Reason: EndReasons.CrashLoop }])
            {
                continue;
            }

            if (runs is [{ State: TaskState.Cancelled, Reason: EndReasons.CancelRequested } cancelled]
                && page.Tasks.Any(task => IsRequestedBeside(task, cancelled)))
            {
                continue;
            }

            if (runs.Count == 0 && lost.Contains(once.At))
            {
                lost.Changes++;
                continue;
            }

            var found = runs.Count == 0 ? "it never ran" : string.Join(", ", runs.Select(run => $"{run.State} ({run.Reason})"));
            broken.Add($"job {once.Name} ({once.Job}) was changed to run once at {once.DueAt:O}: {found}");
        }

        return broken;
    }

    // A run that was requested with CancelPrevious before the last change may have waited until now, and cancels what runs when it starts.
    private static bool IsRequestedBeside(TaskRecord task, TaskRecord cancelled)
        => task.DueAt is null && task.CreatedAt >= cancelled.CreatedAt && task.CreatedAt <= cancelled.EndedAt;
}
