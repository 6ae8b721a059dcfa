using System.CommandLine;
using TaskRecovery.Cli.Errors;
using TaskRecovery.Cli.Output;

namespace TaskRecovery.Cli.Commands;

/// <summary><c>tasks</c>: the runs of jobs, newest first.</summary>
internal static class TasksCommand
{
    public static Command Create(CommandFrame frame)
    {
        var job = new Option<string?>("--job") { Description = "The name or id of the job." };
        var state = new Option<string?>("--state") { Description = "The state: created, running, completed, failed or cancelled." };
        var limit = new Option<int?>("--limit") { Description = "The most tasks to list. Default: 100, at most 1000." };
        var before = new Option<Guid?>("--before") { Description = "Only tasks before this one, to look further." };
        var command = new Command("tasks", "Lists the tasks, which are the runs of jobs, newest first.") { job, state, limit, before };
        return frame.Reads(command, async (call, cancellationToken) =>
        {
            var query = new TaskQuery
            {
                JobId = call.Get(job) is { } name ? await EntryFilters.FindJobAsync(call.Store, name, cancellationToken)
                    .ConfigureAwait(false) : null,
                State = call.Get(state) is { } wanted ? Values.Name<TaskState>("--state", wanted) : null,
                Before = call.Get(before),
                Limit = call.Get(limit) ?? new TaskQuery().Limit,
            };
            var page = await call.Store.Monitor.ListTasksAsync(query, cancellationToken).ConfigureAwait(false);
            if (call.AsJson)
            {
                call.Json(page, page.Tasks);
            }
            else if (page.Tasks.Count > 0)
            {
                Guid[] ids = [.. page.Tasks.Select(static task => task.JobId).Distinct()];
                call.Printer.Table(TableOf(
                    page.Tasks, await call.Store.Monitor.FindJobsAsync(ids, cancellationToken).ConfigureAwait(false)));
            }

            if (call.Format != OutputFormat.Json)
            {
                call.Printer.Note(page.NextBefore is { } next
                    && !page.IsComplete ? $"Look further with --before {next}." : "There are no others.");
            }

            return ExitCodes.Done;
        });
    }

    private static TextTable TableOf(IEnumerable<TaskRecord> tasks, IReadOnlyList<Job> jobs)
    {
        var names = jobs.ToDictionary(static job => job.Id, static job => job.Name);
        var table = new TextTable("task", "state", "job", "due", "started", "ended", "attempt", "crashes", "node", "entry", "reason");
        foreach (var task in tasks)
        {
            table.Add(
                task.Id.ToString(),
                task.State.ToString(),
                names.GetValueOrDefault(task.JobId) ?? $"(deleted) {task.JobId}",
                Format.Time(task.DueAt),
                Format.Time(task.StartedAt),
                Format.Time(task.EndedAt),
                Format.Number(task.Attempt),
                Format.Number(task.Crashes),
                Format.Text(task.Node),
                Format.Number(task.EntryId),
                Format.Text(task.Reason));
        }

        return table;
    }
}
