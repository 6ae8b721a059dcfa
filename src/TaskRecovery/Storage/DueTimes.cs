using System.Diagnostics.CodeAnalysis;

namespace TaskRecovery.Storage;

/// <summary>What every store decides about due times, as pure functions: a store that decides in its own language must agree with them.</summary>
[Experimental("TASKRECOVERY001")]
public static class DueTimes
{
    /// <summary>Decides, when an interval job's planned run is about to start, whether it runs and when the next one is due.</summary>
    /// <param name="policy">What happens to missed runs.</param>
    /// <param name="due">When the run was due.</param>
    /// <param name="interval">The job's interval.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="startAt">The job's <see cref="JobDefinition.StartAt"/>. One that is later than the run's own due time was stored after that run was planned: the grid begins anew there.</param>
    public static DuePlan Plan(MissedRunPolicy policy, DateTimeOffset due, TimeSpan interval, DateTimeOffset now, DateTimeOffset? startAt = null)
        => policy switch
        {
            MissedRunPolicy.RunAll => new DuePlan(true, startAt > due ? startAt.Value : due + interval),
            MissedRunPolicy.Skip => new DuePlan(!IsMissed(due, interval, now), NextOnGrid(due, interval, now, startAt)),
            _ => new DuePlan(true, NextOnGrid(due, interval, now, startAt)),
        };

    /// <summary>Whether a run counts as missed: it is late by more than one interval.</summary>
    public static bool IsMissed(DateTimeOffset due, TimeSpan interval, DateTimeOffset now) => now - due > interval;

    /// <summary>The first time after <paramref name="due"/> on the grid through it that is later than <paramref name="now"/>. It does not drift with the length of a run.</summary>
    /// <param name="due">When the run was due.</param>
    /// <param name="interval">The width of the grid.</param>
    /// <param name="now">The store's clock.</param>
    /// <param name="startAt">If it is later than <paramref name="due"/>, the grid goes through it instead, and it is the grid's first time.</param>
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

/// <summary>What becomes of a planned run, and when the next one is due.</summary>
/// <param name="Runs">It runs; otherwise it is skipped as <see cref="EndReasons.Missed"/>.</param>
/// <param name="Next">When the next run is due; a time in the past means at once.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct DuePlan(bool Runs, DateTimeOffset Next);
