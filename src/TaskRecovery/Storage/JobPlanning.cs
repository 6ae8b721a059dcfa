using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>When a job's next run is due after its definition or state has changed, as pure functions that every store calls.</summary>
/// <remarks>
/// A run belongs to the plan until it starts. If the plan changes, the store ends the planned entry, wherever that is: in line, or in a claim whose node has not
/// started it. So the run of an old plan never starts beside the run of a new one, and a change never depends on a start that may not come.
/// </remarks>
[Experimental("TASKRECOVERY001")]
public static class JobPlanning
{
    /// <summary>Decides what a stored definition does to the plan.</summary>
    /// <param name="held">The job as it is stored, after <see cref="Settle"/>; <see langword="null"/> if it is new.</param>
    /// <param name="wanted">The job as the definition wants it.</param>
    /// <param name="isMoved">Whether the entry's own columns change: its kind, queue, priority, attempts or time limit.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns>The new plan; <see langword="null"/> if the plan stays.</returns>
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

    /// <summary>Brings a job up to date whose planned entry has ended without having become a run (an operator cancelled it): that due time is over.</summary>
    public static JobTiming Settle(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        var next = Missing(held, wasPlanned: true, now);
        return held with { State = next is null ? JobState.Ended : held.State, NextRunAt = next, IsPlanned = false };
    }

    /// <summary>When a job that is resumed runs next. It keeps its place on its schedule; due times that passed meanwhile are not missed runs.</summary>
    public static DateTimeOffset Resume(JobTiming held, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        var due = First(held, now);
        return held.Interval is { } interval && due < now ? DueTimes.NextOnGrid(due, interval, now, held.StartAt) : due;
    }

    /// <summary>When an active job that has no planned entry runs next.</summary>
    /// <param name="held">The job.</param>
    /// <param name="wasPlanned">Whether it had an entry, which is gone or has ended. That due time is over; one that never had an entry is still to come.</param>
    /// <param name="now">The store's clock.</param>
    /// <returns><see langword="null"/> if nothing is left to plan.</returns>
    public static DateTimeOffset? Missing(JobTiming held, bool wasPlanned, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(held);
        if (!wasPlanned)
        {
            return First(held, now);
        }

        return held.Interval is { } interval ? DueTimes.NextOnGrid(First(held, now), interval, now, held.StartAt) : null;
    }

    private static DateTimeOffset First(JobTiming held, DateTimeOffset now) => held.NextRunAt ?? held.OnceAt ?? held.StartAt ?? now;

    // A changed definition never postpones the run that is planned: code may compute StartAt anew at each start, and a process that starts often enough would never
    // run the job. A later StartAt takes effect after that run. A longer or shorter interval does not bring a run forward by itself: the next run stays where it
    // was, or is one new interval from now if that is sooner.
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

/// <summary>What the plan of a job depends on.</summary>
/// <param name="State">Whether it runs.</param>
/// <param name="Interval">The time between runs; <see langword="null"/> for a single run.</param>
/// <param name="OnceAt">The time of the single run.</param>
/// <param name="StartAt">When an interval job runs first.</param>
/// <param name="NextRunAt">The due time of the planned run, or, if the job is paused, of the run that would have been next.</param>
/// <param name="IsPlanned">Whether an entry is planned for that time.</param>
[Experimental("TASKRECOVERY001")]
public sealed record JobTiming(JobState State, TimeSpan? Interval, DateTimeOffset? OnceAt, DateTimeOffset? StartAt, DateTimeOffset? NextRunAt, bool IsPlanned);

/// <summary>A new plan: if the job is active, an entry with this due time takes the place of the planned one.</summary>
/// <param name="State">The job's state.</param>
/// <param name="Due">When it runs next.</param>
[Experimental("TASKRECOVERY001")]
public sealed record JobPlan(JobState State, DateTimeOffset Due);
