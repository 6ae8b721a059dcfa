using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>The rules for due times, as pure functions that every store calls.</summary>
[Experimental("TASKRECOVERY001")]
public static class DueTimes
{
    /// <summary>Decides whether an interval job's planned run starts, and when the next run is due. Called when the planned run is about to
    /// start.</summary>
    /// <param name="policy">The job's policy for missed runs.</param>
    /// <param name="due">The due time of the run.</param>
    /// <param name="interval">The job's interval.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="startAt">The job's <see cref="JobDefinition.StartAt"/>. If it is later than <paramref name="due"/>, it was stored after
    /// the run was planned, and the grid of due times restarts at it.</param>
    public static DuePlan Plan(MissedRunPolicy policy, DateTimeOffset due, TimeSpan interval, DateTimeOffset now, DateTimeOffset? startAt = null)
        => policy switch
        {
            MissedRunPolicy.RunAll => new DuePlan(true, startAt > due ? startAt.Value : due + interval),
            MissedRunPolicy.Skip => new DuePlan(!IsMissed(due, interval, now), NextOnGrid(due, interval, now, startAt)),
            _ => new DuePlan(true, NextOnGrid(due, interval, now, startAt)),
        };

    /// <summary>Returns whether a run counts as missed, which means that it is late by more than one interval.</summary>
    public static bool IsMissed(DateTimeOffset due, TimeSpan interval, DateTimeOffset now) => now - due > interval;

    /// <summary>Returns the first due time after <paramref name="now"/> on the grid of multiples of the interval after
    /// <paramref name="due"/>. The grid does not drift with the duration of runs.</summary>
    /// <param name="due">The due time of the run.</param>
    /// <param name="interval">The interval of the grid.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="startAt">If it is later than <paramref name="due"/>, the grid starts at this time instead, and this time is its first
    /// due time.</param>
    public static DateTimeOffset NextOnGrid(DateTimeOffset due, TimeSpan interval, DateTimeOffset now, DateTimeOffset? startAt = null)
    {
        if (startAt > due)
        {
            if (startAt > now)
            {
                return startAt.Value;
            }

            due = startAt.Value;
        }

        var passed = now <= due ? 0 : (now - due).Ticks / interval.Ticks;
        return due + TimeSpan.FromTicks((passed + 1) * interval.Ticks);
    }
}
