using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Jobs, ordered by name: what runs when, and how the last runs went.</summary>
internal sealed class JobsPage(Reads reads) : IPage
{
    private const int Strip = 20;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(3);

    private static readonly Column[] Columns =
        [new("Job", "name-cell"), new("Schedule", "name-cell wide"), new("Next run"),
            new("Last runs", "wide"), new("Queue", "name-cell"), Column.Actions()];

    public string Route => "jobs";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var after = request.Exact("after");
        var page = await reads.JobsAsync(request, after).ConfigureAwait(false);
        if (page is { Jobs.Count: 0, NextAfter: null })
        {
            return new Page("Jobs", Section.Jobs, Ui.Card("Jobs", after is null
                ? Ui.Empty("jobs", "There is no job yet", "A job runs its handler on a "
                    + "schedule. Add one with AddIntervalJob, or create one with IJobService.")
                : Ui.Empty("jobs", "There is no further job", "No job has a name that comes after this one.")))
            {
                Live = Interval,
            };
        }

        var byJob = (await LastTasksAsync(request, page, after).ConfigureAwait(false)).ToLookup(static task => task.JobId);
        var table = new Table("Jobs", Columns).Render(page.Jobs.Select(job => Row(request, job, byJob[job.Id])));
        return new Page("Jobs", Section.Jobs, Html($"<section class=\"card\">{table}{Next(request, page)}</section>"))
        {
            Live = Interval,
        };
    }

    public static Markup State(Job job) => job.State switch
    {
        JobState.Active => Orphaned(job),
        JobState.Paused => Html($" <span class=\"tag warn\">paused</span>{Orphaned(job)}"),
        _ => Html($" <span class=\"tag\">ended</span>"),
    };

    public static Markup Buttons(DashboardRequest request, Job job) => !request.Access.Operate ? default : Html($"""
        <div class="actions">{When(
            job.State == JobState.Active, Ui.Act(request.Href($"jobs/{job.Id}/run"), "Run now", job.Name, "small"))}{(job.State switch
            {
                JobState.Active => Pauses.Form(request.Href($"jobs/{job.Id}/pause"), job.Name),
                JobState.Paused => Ui.Act(
                    request.Href($"jobs/{job.Id}/resume"), "Resume", job.Name, "small", fields: Pauses.Fields(job.Pause)),
                _ => default,
            })}</div>
        """);

    /// <summary>The outcomes of the last runs as small bars, oldest first, with a sentence for those who can't see them.</summary>
    public static Markup Outcomes(IEnumerable<TaskRecord> newestFirst)
    {
        var tasks = newestFirst.Take(Strip).Reverse().ToList();
        if (tasks.Count == 0)
        {
            return Html($"<span class=\"muted\">none yet</span>");
        }

        var words = $"The last {Shown.Many(tasks.Count, "run")}: " + string.Join(", ", tasks.GroupBy(static task => task.State).Select(
            static group => $"{group.Count()} {group.Key.ToString().ToLowerInvariant()}"));
        return Html($"""
            <span class="strip"><svg width="{tasks.Count * 7}" height="16" viewBox="0 0 {tasks.Count * 7} 16" role="img"
                aria-label="{words}">{Each(tasks.Select(static (task, index) => (task, index)), item =>
                Html($"<rect class=\"fill-{Style(item.task.State)}\" x=\"{item.index * 7}\" y=\"{Top(item.task.State)}\" "
                    + $"width=\"5\" height=\"{16 - Top(item.task.State)}\" rx=\"1\"/>"))}</svg></span>
            """);
    }

    private static Markup Orphaned(Job job)
        => When(job.OrphanedAt is not null, Html($" <span class=\"tag warn\">orphaned</span>"));

    private async ValueTask<IReadOnlyList<TaskRecord>> LastTasksAsync(DashboardRequest request, JobPage page, string? after)
        => page.Jobs.Count == 0 ? [] : await reads.LastTasksAsync(request, page, after is null, Strip).ConfigureAwait(false);

    private static Markup Next(DashboardRequest request, JobPage page) => page.NextAfter is not { } name ? default
        : Html($"<footer><span></span><a class=\"button small\" href=\"{request.Href($"jobs?after={Uri.EscapeDataString(name)}")}\">"
            + $"{(page.Jobs.Count < Reads.JobsPerPage ? "Look further" : "Next")}</a></footer>");

    private static string Style(TaskState state) => state switch
    {
        TaskState.Completed => "completed",
        TaskState.Failed => "failed",
        TaskState.Running => "running",
        TaskState.Created => "waiting",
        _ => "cancelled",
    };

    // The height differs too, so that the color is not the only sign.
    private static int Top(TaskState state)
        => state switch { TaskState.Failed => 0, TaskState.Completed => 4, TaskState.Running => 6, _ => 10 };

    private static Row Row(DashboardRequest request, Job job, IEnumerable<TaskRecord> tasks) => new(
        $"j{job.Id:n}",
        Html($"<a href=\"{request.Href($"jobs/{job.Id}")}\">{Ui.Name(job.Name)}</a>{State(job)}<span "
            + $"class=\"sub\">{Ui.Name(job.Kind)}{(job.Pause is { } pause ? Pauses.Words(pause) : default)}</span>"),
        Html($"{ScheduleText.Of(job.Schedule)}"),
        job.NextRunAt is { } next && job.State == JobState.Active ? Shown.Ago(next) : Ui.None,
        Outcomes(tasks),
        Ui.Name(job.Queue),
        Buttons(request, job));
}
