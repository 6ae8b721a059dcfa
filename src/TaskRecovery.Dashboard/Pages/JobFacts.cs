using TaskRecovery.Dashboard.Rendering;
using static TaskRecovery.Dashboard.Rendering.Markup;

namespace TaskRecovery.Dashboard.Pages;

/// <summary>The definition of a job in words.</summary>
internal static class JobFacts
{
    /// <summary>Renders a job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="last">Its last runs, newest first.</param>
    /// <param name="next">The times of its next runs; <see langword="null"/> if this machine can't plan it.</param>
    public static Markup Render(Job job, IReadOnlyList<TaskRecord> last, IReadOnlyList<DateTimeOffset>? next) => Html($"""
        <section class="card" aria-label="Facts"><div class="body"><dl class="facts">
        {Ui.Fact("Schedule", Html($"{ScheduleText.Of(job.Schedule)}"))}
        {Ui.Fact("Cron", job.Schedule.Expression is { } expression ? Html($"<span class=\"mono\">{expression}</span>") : default)}
        {Ui.Fact("Next run", job is { State: JobState.Active, NextRunAt: { } due }
            ? Html($"{Shown.Ago(due)}, at {Shown.Clock(due)}")
            : Html($"none planned"))}
        {Ui.Fact("Then", Then(job, next))}
        {Ui.Fact("Last runs", JobsPage.Outcomes(last))}
        {Ui.Fact("Kind", Ui.Name(job.Kind))}
        {Ui.Fact("Queue", Html($"{Ui.Name(job.Queue)}, priority {job.Priority}"))}
        {Ui.Fact("Attempts", Html($"{job.MaxAttempts} at most"))}
        {Ui.Fact("Time limit", job.Timeout is { } limit ? Html($"{Shown.Duration(limit)} an attempt") : default)}
        {Ui.Fact("If a run is unfinished", Html($"{Overlap(job.Overlap)}"))}
        {Ui.Fact("Missed runs", Html($"{Missed(job)}"))}
        {Ui.Fact("A run expires", job.ExpiresAfter is { } late
            ? Html($"if it has not started {Shown.Duration(late)} after it was due")
            : default)}
        {Ui.Fact("Paused", job.Pause is { } pause ? Pauses.Words(pause) : default)}
        {Ui.Fact("Not on", job.Except is { } except ? Html($"{except.Text}") : default)}
        {Ui.Fact("From", job.StartAt is { } start ? Shown.Clock(start) : default)}
        {Ui.Fact("Until", job.EndAt is { } end ? Shown.Clock(end) : default)}
        {Ui.Fact("Declared by", job.DeclaredBy is { } application
            ? Html($"{Ui.Name(application)}{When(job.OrphanedAt is not null, Html($", no longer since {Shown.Clock(job.OrphanedAt)}"))}")
            : default)}
        {Ui.Fact("Changed", Shown.Ago(job.UpdatedAt))}
        </dl></div></section>
        """);

    // The planned run has a fact of its own.
    private static Markup Then(Job job, IReadOnlyList<DateTimeOffset>? next) => next is null
        ? Html($"not known: this machine can't compute the times of this schedule, for example because it lacks the time zone")
        : Each(next.Where(at => at != job.NextRunAt), static at => Html($"<div>{Shown.Clock(at)}</div>"));

    private static string Overlap(OverlapPolicy policy) => policy switch
    {
        OverlapPolicy.Allow => "the next one starts beside it",
        OverlapPolicy.QueueOne => "one more waits for its end",
        OverlapPolicy.CancelPrevious => "it is cancelled, and the next one starts",
        _ => "the next one is skipped",
    };

    private static string Missed(Job job)
    {
        var within = job.CatchUpWithin is { } late ? $" up to {Shown.Duration(late)} after they were due" : "";
        return job.MissedRuns switch
        {
            MissedRunPolicy.Skip => "are skipped",
            MissedRunPolicy.RunAll => $"are made up for{within}, {Shown.Number(job.CatchUpLimit)} of them at most",
            _ => $"are made up for by one run{within}",
        };
    }
}
