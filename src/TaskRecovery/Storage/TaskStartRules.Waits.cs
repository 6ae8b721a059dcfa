namespace TaskRecovery.Storage;

/// <content>How long a run waits before it asks again: for the end of a pause, behind an unfinished run, or behind the other runs of a
/// backfill.</content>
public static partial class TaskStartRules
{
    private static readonly TimeSpan ShortestPauseWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPauseWait = TimeSpan.FromDays(1);

    private static readonly TimeSpan ShortestWaitBehind = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWaitBehind = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ShortWaitOfNext = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortWait = TimeSpan.FromMinutes(1);

    // Before the first of them has started, none knows which of them is the next.
    private static readonly TimeSpan WaitOfFirst = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ShortestRun = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LongestWaitOfFirst = TimeSpan.FromMinutes(15);

    // How long a run that waits for an unfinished one waits before it asks again. Each time that a run asks is stored, so it asks the more
    // seldom the longer the unfinished run takes, and starts late by at most an eighth of that time. If a start deadline counts from its
    // due time, or if it is missed and made up for only within a time, it asks after half of the time that is left, so that it can still
    // start.
    private static TimeSpan WaitBehind(JobStartFacts job, DateTimeOffset? dueAt, DateTimeOffset? catchUpFrom, DateTimeOffset now)
    {
        var wait = Shorter(Longer((now - (job.UnfinishedSince ?? now)) / 8, ShortestWaitBehind), LongestWaitBehind);
        wait = BeforeDeadline(wait, dueAt, job.Missed.ExpiresAfter, now);
        return BeforeDeadline(wait, catchUpFrom, job.Missed.CatchUpWithin, now);
    }

    private static TimeSpan BeforeDeadline(TimeSpan wait, DateTimeOffset? from, TimeSpan? within, DateTimeOffset now)
        => within - (now - from) is { } left ? Shorter(wait, Longer(left / 2, ShortestWaitBehind)) : wait;

    // A resume makes the run due, so it asks by itself only in case that somebody ends the pause with SQL. A job may have 10,000 such runs
    // and stay paused for months, and each time that a run asks is stored.
    private static TimeSpan PauseWaitOf(JobStartFacts job, DateTimeOffset now)
        => Shorter(Longer(job.PausedUntil - now ?? LongestPauseWait, ShortestPauseWait), LongestPauseWait);

    // How long a backfilled run waits before it asks again. Each time that a run asks is stored, so every wait grows with the time that the
    // unfinished run has taken so far. The next run waits for an eighth of it, or a second: then it starts late by at most that. Each of
    // the others waits for half the time that the runs before it would take if each took as long, but for no longer than the unfinished
    // one has taken, or a minute, because those after it may be much shorter. After a run of hours, five minutes for each run before it
    // are enough: until they are over, nothing tells that it has ended.
    private static TimeSpan BackfillWaitOf(JobStartFacts job, DateTimeOffset now)
    {
        var run = now - (job.UnfinishedSince ?? now);
        if (job.BackfilledUpTo is not { } last)
        {
            return Shorter(Longer(run / 8, WaitOfFirst), LongestWaitOfFirst);
        }

        var half = Longer(run, ShortestRun) / 2;
        var ahead = CountAhead(job, last);
        var wait = ahead > 0
            ? half * Math.Min(ahead, Longer(run, ShortWait) / half)
            : Longer(run / 8, half < ShortWaitOfNext ? half : ShortWaitOfNext);
        return Shorter(Longer(wait, ShortestWait), LongestWait * Math.Clamp(ahead, 1, 10_000));
    }

    private static TimeSpan Longer(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;

    // Estimated from the first distance between due times, because counting 10,000 of them for each waiting run would take too long. For
    // the same reason long exceptions are ignored.
    private static double CountAhead(JobStartFacts job, DateTimeOffset last)
    {
        if (job.DueAt is not { } due || due <= last)
        {
            return 0;
        }

        try
        {
            var timing = job.Timing with { StartAt = null, EndAt = null };
            if (!timing.GetTimes().TryNextAfter(last, last, out var following, mostExcluded: 100))
            {
                following = (timing with { Except = null }).GetTimes().NextAfter(last, last);
            }

            return following is { } next && next < due ? Math.Max(1, (due - next) / (next - last)) : 0;
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            return 0;
        }
    }
}
