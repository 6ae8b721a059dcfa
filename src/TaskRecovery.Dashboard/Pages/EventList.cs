using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>Events as a list of sentences with their times.</summary>
internal static class EventList
{
    public static Markup Render(DashboardRequest request, IEnumerable<QueueEvent> events) => Html($"""
        <ol class="life events">{Each(events, one => Item(request, one))}</ol>
        """);

    private static Markup Item(DashboardRequest request, QueueEvent one)
    {
        var (icon, tone) = Look(one.Kind);
        var by = By(one);
        return Html($"""
            <li id="v{one.Id}">{Shown.Ago(one.At)}<span class="dot tone-{tone}">{Icon.Of(icon)}</span><div><div
                class="what">{Sentence(request, one)}</div>{When(!by.IsEmpty, Html($"<div class=\"how\">{by}</div>"))}</div></li>

            """);
    }

    public static Markup Sentence(DashboardRequest request, QueueEvent one)
    {
        var node = Ui.Name(one.Node ?? "a node");
        var subject = Ui.Name(one.Subject);
        var entries = one.Entries is { } count ? Html($"{Shown.Many(count, "entry", "entries")}") : Html($"entries");
        return one.Kind switch
        {
            QueueEventKind.NodeJoined => Html($"{node} joined"),
            QueueEventKind.NodeLeft => Html($"{node} left"),
            QueueEventKind.NodeDied => Html($"{node} was declared dead"),
            QueueEventKind.Swept => Html($"Recovered {entries} of {node}"),
            QueueEventKind.CrashLoop => Html($"{Entry(request, one)} failed: it kept crashing its node"),
            QueueEventKind.EntryRetried => Html($"{Entry(request, one)} was retried"),
            QueueEventKind.EntryCancelled => Html($"{Entry(request, one)} was cancelled"),
            QueueEventKind.EntryErased => Html($"The data of {Entry(request, one)} were erased"),
            QueueEventKind.WorkRecovered when one.Node is null => Html(
                $"{Shown.Many(one.Entries ?? 0, "task", "tasks")} whose entry was missing or had ended were recovered by hand"),
            QueueEventKind.WorkRecovered => Html($"{entries} of {node} were recovered by hand"),
            QueueEventKind.Paused => Html($"{subject} was paused"),
            QueueEventKind.Resumed => Html($"{subject} was resumed"),
            QueueEventKind.JobTriggered => Html(
                $"{subject} was run{When(one.EntryId is not null, Html($" as {Entry(request, one with { Subject = null })}"))}"),
            QueueEventKind.JobBackfilled => Html(
                $"{subject} was run for {Shown.Many(one.Entries ?? 0, "due time", "due times")} of the past"),
            QueueEventKind.JobDeleted => Html($"{subject} was deleted"),
            QueueEventKind.RunsDropped => Html($"{Shown.Many(one.Entries ?? 0, "missed run", "missed runs")} of {subject} will not run"),
            QueueEventKind.OperationStarted => Html($"{Operation(request, one)} started"),
            QueueEventKind.OperationEnded => Html($"{Operation(request, one)} ended"),
            QueueEventKind.OperationStopped => Html($"{Operation(request, one)} was stopped"),
            QueueEventKind.OperationUndone => Html($"{Operation(request, one)} was undone"),
            QueueEventKind.Refused => Html($"An action was refused"),
            _ => Html($"{one.Kind.ToString()}"),
        };
    }

    public static (string Icon, string Tone) Look(QueueEventKind kind) => kind switch
    {
        QueueEventKind.NodeJoined => ("nodes", "completed"),
        QueueEventKind.NodeLeft => ("nodes", "cancelled"),
        QueueEventKind.NodeDied => ("lost", "failed"),
        QueueEventKind.Swept or QueueEventKind.WorkRecovered => ("retry", "lost"),
        QueueEventKind.CrashLoop => ("failed", "failed"),
        QueueEventKind.EntryRetried => ("retry", "running"),
        QueueEventKind.EntryCancelled or QueueEventKind.EntryErased => ("cancelled", "cancelled"),
        QueueEventKind.Paused => ("pause", "lost"),
        QueueEventKind.Resumed => ("running", "completed"),
        QueueEventKind.JobTriggered or QueueEventKind.JobBackfilled => ("running", "running"),
        QueueEventKind.JobDeleted or QueueEventKind.RunsDropped => ("cancelled", "cancelled"),
        QueueEventKind.Refused => ("lock", "failed"),
        _ => ("operations", "running"),
    };

    public static Markup By(QueueEvent one)
    {
        var parts = new List<Markup>();
        if (one.Detail is { Length: > 0 } detail)
        {
            parts.Add(Html($"{detail}"));
        }

        if (one.Actor is { Length: > 0 } actor)
        {
            parts.Add(Html($"by {Ui.Name(actor)}{(one.Tool is null ? "" : $" ({one.Tool})")}{Session(one)}"));
        }

        if (one.Reason is { Length: > 0 } reason)
        {
            parts.Add(Html($"“{reason}”"));
        }

        return Each(parts.Select(static (part, index) => Html($"{(index == 0 ? "" : " · ")}{part}")), static part => part);
    }

    // The actor is a claim of the tool; the session's user is what the database knows.
    private static Markup Session(QueueEvent one)
        => one.SessionUser is { Length: > 0 } user ? Html($", database user {Ui.Name(user)}") : default;

    private static Markup Entry(DashboardRequest request, QueueEvent one) => one.EntryId is { } id
        ? Html($"<a class=\"id\" href=\"{request.Href($"entries/{id}")}\">{id}"
            + $"</a>{When(one.Subject is not null, Html($" <bdi class=\"muted\">{one.Subject}</bdi>"))}")
        : Html($"An entry");

    private static Markup Operation(DashboardRequest request, QueueEvent one) => one.OperationId is { } id
        ? Html($"<a href=\"{request.Href($"operations/{id}")}\">Operation {id}</a>{Target(request, one)}")
        : Html($"A bulk operation");

    // The subject is the action. An operation on one entry names it instead of the number of entries.
    private static Markup Target(DashboardRequest request, QueueEvent one)
        => one.EntryId is not null
            ? Html($" ({one.Subject?.ToLowerInvariant() ?? "change"} of {Entry(request, one with { Subject = null })})")
            : When(one.Entries is not null, Html($" on {Shown.Many(one.Entries ?? 0, "entry", "entries")}"));
}
