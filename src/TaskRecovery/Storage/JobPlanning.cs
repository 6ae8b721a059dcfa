using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Schedules;

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
    // Each run that an operator cancels skips a due time, and an operator seldom cancels more of them in a row than this.
    private const int MostSkipped = 5;

    // The rules of a zone have moved its clocks by a day at most, across the date line.
    private static readonly TimeSpan LongestMove = TimeSpan.FromHours(25);

    /// <summary>Decides whether a new definition changes the plan.</summary>
    /// <param name="held">The stored job, after <see cref="Settle"/>; <see langword="null"/> if the job is new.</param>
    /// <param name="wanted">The job according to the new definition.</param>
    /// <param name="isMoved">Whether columns of the planned entry change: kind, queue, priority, attempts or time limit.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns>The new plan; <see langword="null"/> if the plan does not change.</returns>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone of the schedule.</exception>
    public static JobPlan? Replan(JobTiming? held, JobTiming wanted, bool isMoved, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        if (held is null)
        {
            return PlanFor(JobState.Active, wanted.GetTimes().First(now));
        }

        var isRescheduled = !wanted.HasTimesOf(held);
        if (held.State == JobState.Paused)
        {
            return isRescheduled ? PlanFor(JobState.Paused, NextDue(held, wanted, now)) : null;
        }

        // A single run is over with its job, and runs again only at another time.
        if (held.State == JobState.Ended && wanted.Schedule == held.Schedule && wanted.Schedule.At <= now)
        {
            return null;
        }

        if (!isRescheduled)
        {
            return isMoved && held.IsPlanned ? PlanFor(JobState.Active, held.NextRunAt ?? now) : null;
        }

        var due = NextDue(held, wanted, now);
        var isKept = held.IsPlanned && due == held.NextRunAt && wanted.Schedule.At is null == held.Schedule.At is null;
        return isKept && !isMoved ? null : PlanFor(JobState.Active, due);
    }

    /// <summary>Updates a job whose planned entry ended without starting a run, for example because an operator cancelled it. The due time
    /// of that entry is skipped.</summary>
    /// <remarks>A job that this node can't plan has no next run then, so that it can be paused and repaired.</remarks>
    public static JobTiming Settle(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        DateTimeOffset? next;
        try
        {
            next = Missing(held, wasPlanned: true, now);
        }
        catch (Exception exception) when (UnplannableJob.IsProblem(exception))
        {
            return held with { NextRunAt = null, IsPlanned = false };
        }

        return held with { State = next is null ? JobState.Ended : held.State, NextRunAt = next, IsPlanned = false };
    }

    /// <summary>Returns when a resumed job runs next. The job keeps its place on the schedule, and due times that passed during the pause
    /// do not count as missed runs. A run that was due before the pause, and had not started, is not lost.</summary>
    /// <param name="held">The stored job.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="until">The end of the pause; <see langword="null"/> if it had none. A job that is resumed after it is resumed as of
    /// then: a run that was due then, or since, is not lost.</param>
    /// <param name="since">When the pause began; <see langword="null"/> if that is not known.</param>
    /// <returns><see langword="null"/> if the job has ended meanwhile.</returns>
    public static DateTimeOffset? Resume(
        JobTiming held, DateTimeOffset now, DateTimeOffset? until = null, DateTimeOffset? since = null)
    {
        ArgumentNullException.ThrowIfNull(held);
        var at = until < now ? until.Value : now;
        var times = held.GetTimes();
        var due = First(held, times, at);
        var isKept = due < since || held.Schedule.At is not null;
        return due is { } passed && passed < at && !isKept ? times.NextAfter(at.AddTicks(-1), passed) : due;
    }

    /// <summary>Returns when an active job without a planned entry runs next.</summary>
    /// <param name="held">The stored job.</param>
    /// <param name="wasPlanned">Whether the job had a planned entry, which has ended or been removed. If so, its due time is skipped; if
    /// not, the due time still applies.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns><see langword="null"/> if no further run is to be planned.</returns>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone of the schedule.</exception>
    public static DateTimeOffset? Missing(JobTiming held, bool wasPlanned, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        var times = held.GetTimes();
        var due = First(held, times, now);
        return wasPlanned && due is { } skipped ? times.NextAfter(skipped > now ? skipped : now, skipped) : due;
    }

    /// <summary>Returns when a cron job with a planned run in the future runs next. The answer differs from the plan if the rules of the
    /// time zone have changed since the run was planned, or if it was planned while the clock was far ahead.</summary>
    /// <remarks>A plan whose time is a due time stays, also if earlier ones are still to come: an operator has cancelled their
    /// runs. If its time is no longer a due time, the run moves to the nearest one: that of the same local time. It may have passed by
    /// now, and then the run is due at once.</remarks>
    /// <returns><see langword="null"/> if the plan stays as it is.</returns>
    public static DateTimeOffset? Correct(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        if (held is not { State: JobState.Active, IsPlanned: true, Schedule.Expression: not null, NextRunAt: { } planned }
            || planned <= now)
        {
            return null;
        }

        var times = held.GetTimes();
        var next = times.NextAfter(now, now);
        if (next == planned)
        {
            return null;
        }

        if (IsFarAhead(times, next, planned))
        {
            return next;
        }

        return IsDueTime(planned, held) ? null : Nearest(held, planned) ?? next;
    }

    private static JobPlan PlanFor(JobState state, DateTimeOffset? due) => new(due is null ? JobState.Ended : state, due);

    private static DateTimeOffset? First(JobTiming held, RunTimes times, DateTimeOffset now) => held.NextRunAt ?? times.First(now);

    // A changed definition never postpones the planned run. Otherwise, if the application computes StartAt anew at each start, a process
    // that restarts often enough would never run the job. A later StartAt takes effect after the planned run. If the interval changes, the
    // next run keeps its due time, or is due one new interval from now if that is earlier. The due times of a cron expression do not depend
    // on what was planned before. So the planned run of a cron job stays if only StartAt differs, or if its due time is one of the new
    // definition too: it may be due already and not have started, because a deployment stopped the nodes. The row of a job that has ended
    // may contain the time of a run that is over.
    private static DateTimeOffset? NextDue(JobTiming held, JobTiming wanted, DateTimeOffset now)
    {
        var times = wanted.GetTimes();
        if (times.IsCron)
        {
            var due = times.First(now);
            return held is { State: not JobState.Ended, NextRunAt: { } planned } && (due is null || planned < due)
                && (wanted.HasTimesOf(held, otherStart: true) || IsDueTime(planned, wanted)) ? planned : due;
        }

        if (wanted.Schedule.Interval is not { } interval)
        {
            return times.OrLater(wanted.Schedule.At ?? now);
        }

        var start = wanted.StartAt is { } at && (at != held.StartAt || at > now) ? at : (DateTimeOffset?)null;
        if (held.State == JobState.Ended || held.Schedule.Interval is null || held.NextRunAt is not { } next)
        {
            return times.OrLater(start ?? now);
        }

        // The planned run was put off by a start that is removed now. Without a start, a job begins at once.
        if (wanted.StartAt is null && held.StartAt > now && held.StartAt <= next)
        {
            return times.OrLater(now);
        }

        if (start is { } sooner && wanted.StartAt != held.StartAt && sooner < next)
        {
            return times.OrLater(sooner);
        }

        var soonest = now + interval;
        soonest = start > soonest ? start.Value : soonest;
        return times.OrLater(interval != held.Schedule.Interval && soonest < next ? soonest : next);
    }

    // A clock that was a year ahead for a moment may have left a plan a year ahead.
    private static bool IsFarAhead(RunTimes times, DateTimeOffset? next, DateTimeOffset planned)
    {
        for (var skipped = 0; next is { } due && due < planned; skipped++)
        {
            if (skipped == MostSkipped)
            {
                return true;
            }

            next = times.NextAfter(due, due);
        }

        return false;
    }

    // The old rules of the time zone are not known, so neither is the local time for which the run was planned. Without a later start,
    // which must not postpone the planned run.
    private static DateTimeOffset? Nearest(JobTiming held, DateTimeOffset planned)
    {
        var times = (held.StartAt > planned ? held with { StartAt = null } : held).GetTimes();
        var earliest = planned - LongestMove;
        var before = times.LatestUpTo(planned, earliest) is { } latest && latest > earliest ? latest : (DateTimeOffset?)null;
        var after = times.NextAfter(planned, planned) is { } following && following < planned + LongestMove
            ? following : (DateTimeOffset?)null;
        return before is null || after - planned < planned - before ? after : before;
    }

    // Without the start, which must not postpone the planned run. A row that was edited by hand may have the earliest time of all.
    private static bool IsDueTime(DateTimeOffset planned, JobTiming wanted)
        => planned > DateTimeOffset.MinValue
            && (wanted with { StartAt = null }).GetTimes().TryNextAfter(planned.AddTicks(-1), planned, out var due) && due == planned;
}
