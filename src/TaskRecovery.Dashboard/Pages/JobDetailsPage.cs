using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>One job: its definition and its runs.</summary>
internal sealed class JobDetailsPage(Reads reads, DataView data) : IPage
{
    private const int NextRuns = 5;

    public string Route => "jobs/{id:guid}";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var id = request.JobId;
        if (await reads.JobAsync(request, id).ConfigureAwait(false) is not { } job)
        {
            return MissingPage.Of(Section.Jobs, "Job", "There is no such job", "It never existed, or it was deleted.");
        }

        var before = Guid.TryParse(request.Query("before"), out var cursor) ? cursor : (Guid?)null;
        var tasks = await TasksAsync(request, new TaskQuery { JobId = id, Before = before, Limit = 50 }).ConfigureAwait(false);
        var last = before is null
            ? tasks.Tasks
            : (await TasksAsync(request, new TaskQuery { JobId = id, Limit = 50 }).ConfigureAwait(false)).Tasks;
        var next = await reads.NextRunsAsync(request, job, NextRuns).ConfigureAwait(false);
        return new Page($"Job {job.Name}", Section.Jobs, Html($"""
            {JobFacts.Render(job, last, next)}
            <div class="columns wide-first">
            <div class="stack">{Runs(request, job, tasks)}</div>
            <div class="stack">{Ui.Card("Arguments", Ui.Body(
                data.Json(request, new DashboardText(DashboardPart.Args, job.Kind, null, job.Args))))}{Delete(request, job)}</div>
            </div>
            """))
        {
            Heading = Html($"<bdi>{job.Name}</bdi>{JobsPage.State(job)}"),
            Crumb = Html($"<a href=\"{request.Href("jobs")}\">Jobs</a>"),
            Tools = JobsPage.Buttons(request, job),
            Live = before is null ? TimeSpan.FromSeconds(3) : null,
            Opened = request.Access.Data ? $"job {id}" : null,
        };
    }

    private async ValueTask<TaskPage> TasksAsync(DashboardRequest request, TaskQuery query)
        => (await reads.TasksAsync(request, query).ConfigureAwait(false)).Page;

    private static Markup Runs(DashboardRequest request, Job job, TaskPage tasks) => tasks.Tasks.Count == 0
        ? Ui.Card("Runs", Ui.Empty("tasks", "It has not run yet", "Each run of the job appears here as a task, with its outcome."))
        : Ui.Card("Runs", TaskTable.Render(request, tasks.Tasks, null), footer: tasks.NextBefore is { } before
            ? Html($"<span></span><a class=\"button small\" href=\"{request.Href($"jobs/{job.Id}?before={before}")}\">Older</a>")
            : default);

    private static Markup Delete(DashboardRequest request, Job job)
        => !request.Access.Operate ? default : Ui.Card("Delete", Ui.Body(Html($"""
        <details><summary>Delete this job</summary>
        <p class="muted">This is final: the job and its plan are gone and its unfinished tasks are cancelled. The records of its runs are
            kept.{When(job.DeclaredBy is not null, Html(
                $" The application {Ui.Name(job.DeclaredBy)} declares this job and creates it again at its next start."))}</p>
        <form method="post" action="{request.Href($"jobs/{job.Id}/delete")}" class="filters">
        <div class="field wide"><label for="confirm">Type its name:
            {Ui.Name(job.Name)}</label><input id="confirm" name="confirm" required autocomplete="off" spellcheck="false"></div>
        <div class="field wide"><label for="why-deleted">Why, if you like</label><input id="why-deleted" name="reason"
            maxlength="{Ui.MaxReason}" autocomplete="off"></div>
        <button class="danger">Delete</button></form></details>
        """)));
}
