using TaskRecovery.Storage;

namespace TaskRecovery.Jobs;

/// <summary>Computes when an active job runs next. Pure.</summary>
internal static class NextRuns
{
    /// <summary>Returns the times of the next runs.</summary>
    /// <remarks>The planned run may be overdue, for example because no node was up. Then the list contains what runs if a node starts it
    /// now: due times that are skipped, or for which one run stands, are not in it.</remarks>
    /// <param name="job">The job.</param>
    /// <param name="next">The due time of its planned run.</param>
    /// <param name="count">How many runs to return, which the caller has checked.</param>
    /// <param name="now">The time now.</param>
    public static IReadOnlyList<DateTimeOffset> Of(Job job, DateTimeOffset next, int count, DateTimeOffset now)
    {
        var times = JobRules.TimesOf(job);
        if (next >= now)
        {
            return [next, .. times.Preview(next, next, count).Take(count - 1)];
        }

        var timing = new JobTiming
        {
            Name = job.Name,
            State = job.State,
            Schedule = job.Schedule,
            StartAt = job.StartAt,
            EndAt = job.EndAt,
            Except = job.Except,
            NextRunAt = next,
            IsPlanned = true,
        };
        var rules = new MissedRunRules(job.MissedRuns, job.CatchUpWithin, job.CatchUpLimit, job.ExpiresAfter, job.UpdatedAt);
        var planned = MissedRuns.Plan(timing, rules, now);
        DateTimeOffset[] first = planned.Reason is null ? [next] : [];
        DateTimeOffset[] later = planned.Next is { } following ? [following, .. times.Preview(following, next, count)] : [];
        return [.. first.Concat(later).Take(count)];
    }
}
