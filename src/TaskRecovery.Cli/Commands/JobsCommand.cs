using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>jobs</c>: all jobs with their schedule.</summary>
internal static class JobsCommand
{
    public static Command Create(CommandFrame frame)
        => frame.Reads(new Command("jobs", "Lists the jobs: schedule, state and next run."), RunAsync);

    /// <summary>Lists all jobs, without their arguments.</summary>
    public static async Task<IReadOnlyList<Job>> ListAllAsync(IQueueMonitor monitor, CancellationToken cancellationToken)
    {
        List<Job> all = [];
        string? after = null;
        do
        {
            var page = await monitor.ListJobsAsync(new JobQuery { After = after, Limit = 1_000 }, cancellationToken).ConfigureAwait(false);
            all.AddRange(page.Jobs);
            after = page.NextAfter;
        }
        while (after is not null);

        return all;
    }

    private static async Task<int> RunAsync(CommandCall call, CancellationToken cancellationToken)
    {
        var jobs = await ListAllAsync(call.Store.Monitor, cancellationToken).ConfigureAwait(false);
        if (call.AsJson)
        {
            IReadOnlyList<JobResult> results = [.. jobs.Select(static job => new JobResult(
                job.Id, job.Name, job.Kind, job.Schedule.ToString(), job.State, job.Queue,
                job.NextRunAt, job.Pause, job.DeclaredBy, job.OrphanedAt))];
            call.Json(results, results);
            return ExitCodes.Done;
        }

        var table = new TextTable("job", "state", "next run", "schedule", "kind", "queue", "id", "orphaned", "pause");
        foreach (var job in jobs)
        {
            table.Add(
                job.Name, job.State.ToString(), Format.Time(job.NextRunAt), job.Schedule.ToString(),
                job.Kind, job.Queue, job.Id.ToString(), Format.Time(job.OrphanedAt), Format.Pause(job.Pause));
        }

        call.Printer.Table(table);
        return ExitCodes.Done;
    }
}
