using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>Decides when a job's next run is due after its definition or state has changed. Pure functions that every store
/// calls.</summary>
/// <remarks>
/// A run belongs to the plan until it starts. If the plan changes, the store ends the planned entry, whether it is waiting or claimed by a
/// node that has not started it. So the run of an old plan never starts in addition to the run of the new plan, and a change does not have
/// to wait for a start that may never happen.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public static class JobPlanning
{
    /// <summary>Decides whether a new definition changes the plan.</summary>
    /// <param name="held">The stored job, after <see cref="Settle"/>; <see langword="null"/> if the job is new.</param>
    /// <param name="wanted">The job according to the new definition.</param>
    /// <param name="isMoved">Whether columns of the planned entry change: kind, queue, priority, attempts or time limit.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns>The new plan; <see langword="null"/> if the plan does not change.</returns>
    public static JobPlan? Replan(JobTiming? held, JobTiming wanted, bool isMoved, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (held is null)
        {
            return new JobPlan(JobState.Active, (wanted.Interval is null ? wanted.OnceAt : wanted.StartAt) ?? now);
        }

        var isRescheduled = wanted.Interval != held.Interval || wanted.OnceAt != held.OnceAt || wanted.StartAt != held.StartAt;
        if (held.State == JobState.Paused)
        {
            return isRescheduled ? new JobPlan(JobState.Paused, NextDue(held, wanted, now)) : null;
        }

        if (!isRescheduled)
        {
            return isMoved && held.IsPlanned ? new JobPlan(JobState.Active, held.NextRunAt ?? now) : null;
        }

        var due = NextDue(held, wanted, now);
        var isKept = held.IsPlanned && due == held.NextRunAt && wanted.Interval is null == held.Interval is null;
        return isKept && !isMoved ? null : new JobPlan(JobState.Active, due);
    }

    /// <summary>Updates a job whose planned entry ended without starting a run, for example because an operator cancelled it. The due time
    /// of that entry is skipped.</summary>
    public static JobTiming Settle(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        var next = Missing(held, wasPlanned: true, now);
        return held with { State = next is null ? JobState.Ended : held.State, NextRunAt = next, IsPlanned = false };
    }

    /// <summary>Returns when a resumed job runs next. The job keeps its place on the schedule, and due times that passed during the pause
    /// do not count as missed runs.</summary>
    public static DateTimeOffset Resume(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        var due = First(held, now);
        return held.Interval is { } interval && due < now ? DueTimes.NextOnGrid(due, interval, now, held.StartAt) : due;
    }

    /// <summary>Returns when an active job without a planned entry runs next.</summary>
    /// <param name="held">The stored job.</param>
    /// <param name="wasPlanned">Whether the job had a planned entry, which has ended or been removed. If so, its due time is skipped; if
    /// not, the due time still applies.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns><see langword="null"/> if no further run is to be planned.</returns>
    public static DateTimeOffset? Missing(JobTiming held, bool wasPlanned, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        if (!wasPlanned)
        {
            return First(held, now);
        }

        return held.Interval is { } interval ? DueTimes.NextOnGrid(First(held, now), interval, now, held.StartAt) : null;
    }

    /// <summary>Returns whether the planned run is missed at this moment: whether the run after it is due as well.</summary>
    public static bool IsMissed(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        return held is { Interval: { } interval, NextRunAt: { } due } && DueTimes.IsMissed(due, interval, now);
    }

    /// <summary>Returns when the run after the planned one is due. Called when the planned run starts or is skipped.</summary>
    /// <returns><see langword="null"/> if no further run is to be planned.</returns>
    public static DateTimeOffset? AfterStart(JobTiming held, MissedRunPolicy missedRuns, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        return held.Interval is { } interval ? DueTimes.Plan(missedRuns, held.NextRunAt ?? now, interval, now, held.StartAt).Next : null;
    }

    private static DateTimeOffset First(JobTiming held, DateTimeOffset now) => held.NextRunAt ?? held.OnceAt ?? held.StartAt ?? now;

    // A changed definition never postpones the planned run. Otherwise, if the application computes StartAt anew at each start, a process
    // that restarts often enough would never run the job. A later StartAt takes effect after the planned run. If the interval changes, the
    // next run keeps its due time, or is due one new interval from now if that is earlier.
    private static DateTimeOffset NextDue(JobTiming held, JobTiming wanted, DateTimeOffset now)
    {
        if (wanted.Interval is not { } interval)
        {
            return wanted.OnceAt ?? now;
        }

        var start = wanted.StartAt is { } at && (at != held.StartAt || at > now) ? at : (DateTimeOffset?)null;
        if (held.Interval is null || held.NextRunAt is not { } next)
        {
            return start ?? now;
        }

        if (start is { } sooner && wanted.StartAt != held.StartAt && sooner < next)
        {
            return sooner;
        }

        var soonest = now + interval;
        soonest = start > soonest ? start.Value : soonest;
        return interval != held.Interval && soonest < next ? soonest : next;
    }
}
