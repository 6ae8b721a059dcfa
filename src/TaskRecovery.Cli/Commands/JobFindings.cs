using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>The active jobs that do not run.</summary>
internal static class JobFindings
{
    /// <summary>The name of the check.</summary>
    public const string Overdue = "overdue jobs";

    // While no node runs, every job is overdue.
    private const int Most = 20;
    private const int MostExamined = 1_000;

    /// <summary>Finds the jobs without a planned run, and those whose planned run has been due for long although no earlier run is
    /// unfinished and neither their queue nor their kind is paused.</summary>
    public static async Task<IReadOnlyList<StoreFinding>> OverdueAsync(
        IQueueMonitor monitor, IEnumerable<Job> jobs, QueueSnapshot snapshot, IEnumerable<KindSummary> kinds,
        CancellationToken cancellationToken)
    {
        var now = snapshot.TakenAt;
        var runs = new OverdueRuns(snapshot.Queues, kinds);
        List<Job> overdue =
            [.. jobs.Where(job => OverdueJob.MayBe(job, now) && !runs.IsPaused(job)).OrderBy(static job => job.NextRunAt)];
        if (overdue.Count == 0)
        {
            return [];
        }

        var examined = overdue.Where(static job => job.NextRunAt is not null).Take(MostExamined).Select(static job => job.Id).ToList();
        var tasks = await monitor.ListLastTasksAsync(
            new LastTasksQuery { JobIds = examined, Limit = OverdueRuns.LastTasks }, cancellationToken).ConfigureAwait(false);
        overdue = OverdueRuns.WithoutBusy(overdue, tasks);
        List<StoreFinding> findings = [.. overdue.Take(Most).Select(job => FindingOf(job, runs, now))];
        if (overdue.Count > Most)
        {
            findings.Add(new StoreFinding(
                Overdue, FindingLevel.Warning, $"{overdue.Count - Most} more jobs are overdue.", "See the next runs: taskrecovery jobs"));
        }

        return findings;
    }

    private static StoreFinding FindingOf(Job job, OverdueRuns runs, DateTimeOffset now)
    {
        var (text, repair) = (job.NextRunAt, runs.WaitOf(job)) switch
        {
            (null, _) => (
                $"Job {job.Name} is active, and no run of it is planned.",
                "Start a node. If one runs, look for event 4006 in its log: it says why the job can't be planned."),
            ({ } due, { } wait) => (
                $"Job {job.Name} has been due for {Format.Duration(now - due)}, and its run waits in queue {job.Queue}, whose oldest due "
                + $"entry has waited for {Format.Duration(wait)}.",
                QueueFindings.Behind),
            ({ } due, null) => (
                $"Job {job.Name} has been due for {Format.Duration(now - due)}, and its run does not start.",
                $"Start a node with the job's handler that serves queue {job.Queue}. If one runs, look for event 4006 in its log: it says "
                + "why the job can't be planned."),
        };
        return new StoreFinding(Overdue, FindingLevel.Warning, text, repair);
    }
}
