using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Rendering;
using TaskRecovery.Dashboard.Security;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>The note about an action on the page after it. The address carries a code, numbers, and the name of
/// what was paused.</summary>
/// <remarks>A link of another site can carry them too, with the number of an operation that the user never asked for. So the note is shown
/// only if the browser says that a page of this origin led here, which is true after the redirect of an action.</remarks>
internal static class Toast
{
    public static Markup Render(DashboardRequest request)
    {
        var number = request.Number("n");
        var isLedFromHere = RequestOrigin.IsLedFromHere(request.Context.Request);
        if (isLedFromHere == false || request.Query("did") is not { } code || Words(code, number) is not { } note)
        {
            return default;
        }

        // A store without bulk operations can't restore how a retried entry had ended.
        var button = !request.Access.Operate || isLedFromHere != true ? default
            : request.Number("undo") is { } operation ? Ui.Button(request.Href($"operations/{operation}/undo"), "Undo", "small")
            : code == "retried" && number is { } entry ? Ui.Button(request.Href($"entries/{entry}/cancel"), "Cancel it", "small")
            : UndoPause(request, code);
        return Html($"""
            <div class="toasts" role="status"><div class="notice{(note.IsBad ? " bad" : "")}">{Icon.Of(note.IsBad ? "warn" : "completed")}
                <div>{note.Text}</div>{button}<button type="button" class="small dismiss script-only" data-close>Close</button></div></div>
            """);
    }

    // The opposite of a pause is known by the code, and the pause and its target by what the action has put into the address.
    private static Markup UndoPause(DashboardRequest request, string code)
    {
        var verb = code switch { "paused" => "resume", "resumed" => "pause", _ => null };
        var what = request.Query("of");
        var pause = Pauses.Fields(verb == "pause" ? "" : Pauses.Before, request.Exact("why"), request.Exact("end"));
        return verb is null || request.Exact("name") is not { } name ? default : what switch
        {
            "queues" or "kinds"
                => Ui.Button(
                    request.Href($"{what}/{verb}"), "Undo", "small",
                    fields: Html($"{Ui.Hidden("name", name)}{pause}{NamePlace.Of(request).Fields}")),
            "jobs" when Guid.TryParse(name, out var id) => Ui.Button(request.Href($"jobs/{id}/{verb}"), "Undo", "small", fields: pause),
            _ => default,
        };
    }

    private static (string Text, bool IsBad)? Words(string code, long? number) => code switch
    {
        "retried" => ($"Entry {number} is back in its queue.", false),
        "cancelled" => ($"Entry {number} is cancelled, or its handler was asked to stop.", false),
        "retrying" => ($"Entry {number} is being retried: another process is doing it. Its page shows the result.", false),
        "cancelling" => ($"Entry {number} is being cancelled: another process is doing it. Its page shows the result.", false),
        "refused-ended" => ($"Entry {number} was not changed: it has already ended.", true),
        "refused-not-ended" => ($"Entry {number} was not changed: it has not ended.", true),
        "refused-completed" => ($"Entry {number} was not changed: it has completed.", true),
        "refused-key" => ($"Entry {number} was not changed: another entry holds its unique key.", true),
        "refused-erased" => ($"Entry {number} was not changed: its data were erased.", true),
        "refused-missing" => ("Nothing was changed: it no longer exists.", true),
        "refused-changed" => ($"Entry {number} was not changed: it has changed meanwhile.", true),
        "paused" => ("Paused.", false),
        "resumed" => ("Resumed.", false),
        "job-ended" => ("The job was not paused: it has ended.", true),
        "refused-not-paused" => ("Nothing was changed: it is not paused.", true),
        "triggered" => ($"The job runs now, as entry {number}.", false),
        "not-triggered" => ("The job was not started: it is paused or has ended.", true),
        "deleted" => ("The job is deleted.", false),
        "name-differs" => ("The job was not deleted: the name that was typed is another one.", true),
        "filter-missing" => ("Nothing was prepared: no condition is set, and it was not said that all entries are meant.", true),
        "nothing-selected" => ("Nothing was selected.", true),
        "bad-minutes"
            => ("Not paused: give the minutes as a whole number from 1 to 10,080 (a week), or none for a pause without end.", true),
        "bad-until" => ("Not paused: give the end as a time of the future, such as 2026-11-29T12:30Z, and no minutes beside it.", true),
        "started" => ("The operation has started.", false),
        "stopped" => ("The operation is stopped.", false),
        "undoing" => ("The operation is being undone.", false),
        "operation-expired" => ("Not started: the preview is older than 10 minutes. Prepare the operation again.", true),
        "operation-other" => ("Not started: another user prepared this operation. Prepare one of your own.", true),
        "operation-state" => ("Not possible any more: the operation has moved on.", true),
        _ => null,
    };
}
