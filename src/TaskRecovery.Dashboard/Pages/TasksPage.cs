using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The runs of all jobs.</summary>
internal sealed class TasksPage(Reads reads) : IPage
{
    private const int PageSize = 50;

    private static readonly (string? Key, string Name, TaskState? State)[] States =
    [
        (null, "All", null), ("waiting", "Waiting", TaskState.Created),
        ("running", "Running", TaskState.Running), ("failed", "Failed", TaskState.Failed),
        ("cancelled", "Cancelled", TaskState.Cancelled), ("completed", "Completed", TaskState.Completed),
    ];

    public string Route => "tasks";

    public async ValueTask<Page> RenderAsync(DashboardRequest request)
    {
        var state = States.FirstOrDefault(one => one.Key == request.Query("state"), States[0]);
        var before = Guid.TryParse(request.Query("before"), out var cursor) ? cursor : (Guid?)null;
        var (tasks, jobs) = await reads.TasksAsync(
            request, new TaskQuery { State = state.State, Before = before, Limit = PageSize }).ConfigureAwait(false);
        var filter = state.Key is null ? "" : $"state={state.Key}";
        var older = tasks.NextBefore is { } next
            ? Html($"<footer><span></span><a class=\"button small\" "
                + $"href=\"{request.Href($"tasks?{filter}{(filter.Length == 0 ? "" : "&")}before={next}")}\">"
                + $"{(tasks.Tasks.Count < PageSize ? "Look further" : "Older")}</a></footer>")
            : default;
        return new Page("Tasks", Section.Tasks, Html($"""
            {Ui.Tabs("State", States.Select(
                one => (request.Href(one.Key is null ? "tasks" : $"tasks?state={one.Key}"), Html($"{one.Name}"), one == state)))}
            <section class="card">{(tasks.Tasks.Count == 0
                ? Ui.Empty("tasks", "No task here", "Each run of a job is a task, with a record of its own.")
                : TaskTable.Render(request, tasks.Tasks, jobs))}{older}</section>
            """))
        {
            Live = before is null ? TimeSpan.FromSeconds(3) : null,
        };
    }
}
