using TaskRecovery.Cli.Output;
using TaskRecovery.Storage;

namespace TaskRecovery.Cli.Commands;

/// <summary>The pauses that hold work back, that nobody ends, or that have not ended when they should have.</summary>
internal static class PauseFindings
{
    /// <summary>The name of the check.</summary>
    public const string Check = "pauses";

    private static readonly TimeSpan LongPause = TimeSpan.FromDays(7);

    // A running node ends the pause of a queue or kind within seconds, and that of a job within a minute.
    private static readonly TimeSpan LateEnd = TimeSpan.FromMinutes(2);

    public static IEnumerable<StoreFinding> Find(QueueSnapshot snapshot, IEnumerable<KindSummary> kinds, IEnumerable<Job> jobs)
    {
        var paused = snapshot.Queues.Select(static queue => (What: "queue", queue.Name, queue.Pause, Due: DueOf(queue)))
            .Concat(kinds.Select(static kind => (What: "kind", kind.Name, kind.Pause, Due: DueOf(kind))))
            .Concat(jobs.Select(static job => (What: "job", job.Name, job.Pause, Due: (string?)null)));
        foreach (var one in paused)
        {
            if (one.Pause is { } pause && ProblemOf(pause, one.Due, snapshot.TakenAt) is { } problem)
            {
                yield return new StoreFinding(
                    Check,
                    FindingLevel.Warning,
                    $"The {one.What} {one.Name} is {Format.Pause(pause)}, {problem}.",
                    $"taskrecovery resume {one.What} {ShellText.Quoted(one.Name)}");
            }
        }
    }

    private static string? ProblemOf(PauseInfo pause, string? due, DateTimeOffset now) => pause switch
    {
        { Until: { } end } when now - end > LateEnd => "which no running node has ended",
        _ when due is not null => due,
        { Until: null } when pause.Since is null || now - pause.Since >= LongPause => "without an end",
        _ => null,
    };

    private static string? DueOf(QueueSummary queue) => queue.Due.Value == 0 ? null
        : $"and {queue.Due} entries of it are due, the oldest for {Format.Duration(queue.OldestDue)}";

    private static string? DueOf(KindSummary kind) => kind.OldestDue is not { } oldest ? null
        : $"and entries of it are due, the oldest for {Format.Duration(oldest)}";
}
