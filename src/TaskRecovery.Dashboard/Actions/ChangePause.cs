using System.Globalization;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;
using TaskRecovery.Dashboard.Rendering;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Pauses or resumes a queue, a kind or a job.</summary>
/// <param name="what"><c>queues</c>, <c>kinds</c> or <c>jobs</c>.</param>
/// <param name="isPause">Whether it pauses.</param>
/// <param name="operations">The operator's actions.</param>
/// <param name="reads">What the user sees.</param>
internal sealed class ChangePause(string what, bool isPause, IQueueOperator operations, Reads reads)
    : IAction
{
    private const int MaxMinutes = 7 * 24 * 60;

    public string Route => $"{what}/{(what == "jobs" ? "{id:guid}/" : "")}{(isPause ? "pause" : "resume")}";

    public IReadOnlyList<string> Members
        => [.. what == "jobs" ? (string[])[] : ["name"], "reason", .. isPause ? (string[])["minutes", "until"] : []];

    public string Describe(DashboardRequest request)
        => $"{(isPause ? "pause" : "resume")} {what[..^1]} {(what == "jobs" ? request.Route("id") : request.Field("name"))}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var back = what == "jobs" ? $"jobs/{request.Route("id")}" : NamePlace.OfForm(request).Address(what);
        if (Target(request) is not { } target || !await IsSeenAsync(request, target).ConfigureAwait(false))
        {
            return new Done(back, "refused-missing");
        }

        DateTimeOffset? until = null;
        var (minutes, end) = (request.Form["minutes"].ToString().Trim(), request.Form["until"].ToString().Trim());
        if (isPause && (minutes.Length > 0 || end.Length > 0))
        {
            // The store compares the end with its own clock.
            var now = await operations.GetTimeAsync(request.Aborted).ConfigureAwait(false);
            if (ReadEnd(minutes, end, now, out until) is { } bad)
            {
                return new Done(back, bad);
            }
        }

        var audit = Audits.Of(request);
        var result = await UnconfirmedException.WhileAsync(() => isPause
            ? operations.PauseAsync(target, audit, until, request.Aborted)
            : operations.ResumeAsync(target, audit, request.Aborted)).ConfigureAwait(false);
        return result switch
        {
            OperatorResult.Done => new Done(back, isPause ? "paused" : "resumed") { Pause = Opposite(request, until) },
            OperatorResult.AlreadyEnded => new Done(back, "job-ended"),
            OperatorResult.NotPaused => new Done(back, "refused-not-paused"),
            _ => new Done(back, "refused-missing"),
        };
    }

    // The undo of a resumption pauses again, for the same reason and until the same time. So there is none if the form does not say what
    // the pause was, or if its reason is too long for an address.
    private (string, string, string?, string?)? Opposite(DashboardRequest request, DateTimeOffset? until)
    {
        var before = isPause ? "" : Pauses.Before;
        if (request.Form[$"{before}reason"].ToString().Length > Ui.MaxReason
            || (!isPause && !request.Form.ContainsKey($"{Pauses.Before}until")))
        {
            return null;
        }

        var end = isPause ? until?.ToString("O", CultureInfo.InvariantCulture) : request.Field($"{Pauses.Before}until");
        return (what, request.Route("id") ?? request.Field("name")!, request.Field($"{before}reason"), end);
    }

    private async ValueTask<bool> IsSeenAsync(DashboardRequest request, PauseTarget target)
        => (target.QueueName is { } queue && request.Access.SeesQueue(queue))
            || (target.KindName is { } kind && request.Access.SeesKind(kind))
            || (target.JobId is { } id && await reads.SeesJobAsync(request, id).ConfigureAwait(false));

    private PauseTarget? Target(DashboardRequest request) => what switch
    {
        "jobs" => PauseTarget.Job(request.JobId),
        "queues" when request.Field("name") is { } queue => PauseTarget.Queue(queue),
        "kinds" when request.Field("name") is { } kind => PauseTarget.Kind(kind),
        _ => null,
    };

    // The end is a number of minutes or a time. Returns the code of the note if it can't be read.
    private static string? ReadEnd(string minutes, string end, DateTimeOffset now, out DateTimeOffset? until)
    {
        until = null;
        if (end.Length > 0)
        {
            until = DashboardRequest.Time(end);
            return until > now && minutes.Length == 0 ? null : "bad-until";
        }

        if (DashboardRequest.Whole(minutes) is not { } count || count is < 1 or > MaxMinutes)
        {
            return "bad-minutes";
        }

        until = now + TimeSpan.FromMinutes(count);
        return null;
    }
}
