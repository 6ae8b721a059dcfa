using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>One job: its definition and its runs.</summary>
internal sealed class JobDetailsPage(Reads reads, DataView data) : IPage
{
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
        return new Page($"Job {job.Name}", Section.Jobs, Html($"""
            {Facts(job, last)}
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

    private static Markup Facts(Job job, IReadOnlyList<TaskRecord> last) => Html($"""
        <section class="card" aria-label="Facts"><div class="body"><dl class="facts">
        {Ui.Fact("Schedule", Html($"{ScheduleText.Of(job.Schedule)}"))}
        {Ui.Fact("Next run", job is { State: JobState.Active, NextRunAt: { } next }
            ? Html($"{Shown.Ago(next)}, at {Shown.Clock(next)}")
            : Html($"none planned"))}
        {Ui.Fact("Last runs", JobsPage.Outcomes(last))}
        {Ui.Fact("Kind", Ui.Name(job.Kind))}
        {Ui.Fact("Queue", Html($"{Ui.Name(job.Queue)}, priority {job.Priority}"))}
        {Ui.Fact("Attempts", Html($"{job.MaxAttempts} at most"))}
        {Ui.Fact("If a run is unfinished", Html($"{Overlap(job.Overlap)}"))}
        {Ui.Fact("Missed runs", Html($"{Missed(job.MissedRuns)}"))}
        {Ui.Fact("Paused", job.Pause is { } pause ? JobsPage.Paused(pause) : default)}
        {Ui.Fact("Not on", job.Except is { } except ? Html($"{except.Text}") : default)}
        {Ui.Fact("Until", job.EndAt is { } end ? Shown.Clock(end) : default)}
        {Ui.Fact("Declared by", job.DeclaredBy is { } application
            ? Html($"{Ui.Name(application)}{When(job.OrphanedAt is not null, Html($", no longer since {Shown.Clock(job.OrphanedAt)}"))}")
            : default)}
        {Ui.Fact("Changed", Shown.Ago(job.UpdatedAt))}
        </dl></div></section>
        """);

    private static string Overlap(OverlapPolicy policy) => policy switch
    {
        OverlapPolicy.Allow => "the next one starts beside it",
        OverlapPolicy.QueueOne => "one more waits for its end",
        OverlapPolicy.CancelPrevious => "it is cancelled, and the next one starts",
        _ => "the next one is skipped",
    };

    private static string Missed(MissedRunPolicy policy) => policy switch
    {
        MissedRunPolicy.Skip => "are skipped",
        MissedRunPolicy.RunAll => "are all made up for",
        _ => "are made up for by one run",
    };

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
