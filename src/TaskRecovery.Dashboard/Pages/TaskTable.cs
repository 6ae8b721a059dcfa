using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Tasks as a table.</summary>
internal static class TaskTable
{
    /// <summary>Renders tasks.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tasks">The tasks.</param>
    /// <param name="jobs">The jobs by id, for a column with their names; <see langword="null"/> if all tasks are of one job.</param>
    public static Markup Render(DashboardRequest request, IEnumerable<TaskRecord> tasks, IReadOnlyDictionary<Guid, Job>? jobs)
    {
        Column[] columns =
        [
            new("Due"), .. jobs is null ? (Column[])[] : [new Column("Job", "name-cell")],
            new("State"), new("Entry"), Column.Number("Attempt"), new("When"), new("Node", "name-cell"),
        ];
        return new Table("Tasks, newest first", columns).Render(tasks.Select(task => new Row($"t{task.Id:n}",
        [
            task.DueAt is { } due ? Shown.Clock(due) : Html($"by hand, {Shown.Clock(task.CreatedAt)}"),
            .. jobs is null ? (Markup[])[] : [JobLink(request, task, jobs)],
            Html($"{Ui.State(task.State)}{When(
                task.Reason is not null, Html($"<span class=\"sub\">{Ui.Words(task.Reason ?? "")}</span>"))}"),
            task.EntryId is { } entry ? Html($"<a class=\"id\" href=\"{request.Href($"entries/{entry}")}\">{entry}</a>") : Ui.None,
            Html($"{task.Attempt}{Ui.Crashes(task.Crashes)}"),
            Moment(task),
            task.Node is null ? Ui.None : Ui.Name(task.Node),
        ])));
    }

    private static Markup JobLink(DashboardRequest request, TaskRecord task, IReadOnlyDictionary<Guid, Job> jobs)
        => jobs.TryGetValue(task.JobId, out var job)
            ? Html($"<a href=\"{request.Href($"jobs/{job.Id}")}\">{Ui.Name(job.Name)}</a>")
            : Html($"<span class=\"muted\">deleted job</span>");

    private static Markup Moment(TaskRecord task) => task switch
    {
        { EndedAt: { } ended, StartedAt: { } started } when ended >= started => Html($"took {Shown.Duration(ended - started)}"),
        { EndedAt: { } ended } => Shown.Ago(ended),
        { State: TaskState.Running, StartedAt: { } started } => Html($"for {Shown.Since(started)}"),
        _ => Ui.None,
    };
}
