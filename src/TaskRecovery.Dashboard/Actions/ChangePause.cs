using System.Globalization;
using TaskRecovery.Dashboard.Hosting;
using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Actions;

/// <summary>Pauses or resumes a queue, a kind or a job.</summary>
/// <param name="what"><c>queues</c>, <c>kinds</c> or <c>jobs</c>.</param>
/// <param name="isPause">Whether it pauses.</param>
/// <param name="operations">The operator's actions.</param>
/// <param name="reads">What the user sees.</param>
/// <param name="time">The clock of this process.</param>
internal sealed class ChangePause(string what, bool isPause, IQueueOperator operations, Reads reads, TimeProvider time)
    : IAction
{
    private const int MaxMinutes = 7 * 24 * 60;

    public string Route => $"{what}/{(what == "jobs" ? "{id:guid}/" : "")}{(isPause ? "pause" : "resume")}";

    public string Describe(DashboardRequest request)
        => $"{(isPause ? "pause" : "resume")} {what[..^1]} {(what == "jobs" ? request.Route("id") : request.Field("name"))}";

    public async ValueTask<Done> RunAsync(DashboardRequest request)
    {
        var back = what == "jobs" ? $"jobs/{request.Route("id")}" : what;
        if (Target(request) is not { } target || !await IsSeenAsync(request, target).ConfigureAwait(false))
        {
            return new Done(back, "refused-missing");
        }

        if (!TryReadUntil(request, out var until))
        {
            return new Done(back, "bad-minutes");
        }

        var audit = Audits.Of(request);
        var result = isPause
            ? await operations.PauseAsync(target, audit, until, request.Aborted).ConfigureAwait(false)
            : await operations.ResumeAsync(target, audit, request.Aborted).ConfigureAwait(false);
        return result == OperatorResult.Done
            ? new Done(back, isPause ? "paused" : "resumed") { Pause = (what, request.Route("id") ?? request.Field("name")!) }
            : new Done(back, "refused-missing");
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

    private bool TryReadUntil(DashboardRequest request, out DateTimeOffset? until)
    {
        until = null;
        if (request.Form["minutes"].ToString() is not { Length: > 0 } text)
        {
            return true;
        }

        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) || minutes is < 1 or > MaxMinutes)
        {
            return false;
        }

        until = time.GetUtcNow() + TimeSpan.FromMinutes(minutes);
        return true;
    }
}
