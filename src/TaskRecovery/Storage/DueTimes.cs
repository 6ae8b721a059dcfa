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
    public static DuePlan Plan(MissedRunPolicy policy, DateTimeOffset due, TimeSpan interval, DateTimeOffset now)
        => policy switch
        {
            MissedRunPolicy.RunAll => new DuePlan(true, due + interval),
            MissedRunPolicy.Skip => new DuePlan(!IsMissed(due, interval, now), NextOnGrid(due, interval, now)),
            _ => new DuePlan(true, NextOnGrid(due, interval, now)),
        };

    /// <summary>Whether a run counts as missed: it is late by more than one interval.</summary>
    public static bool IsMissed(DateTimeOffset due, TimeSpan interval, DateTimeOffset now) => now - due > interval;

    /// <summary>The first time after <paramref name="due"/> on the grid through it that is later than <paramref name="now"/>. It does not drift with the length of a run.</summary>
    public static DateTimeOffset NextOnGrid(DateTimeOffset due, TimeSpan interval, DateTimeOffset now)
    {
        var passed = now <= due ? 0 : (now - due).Ticks / interval.Ticks;
        return due + TimeSpan.FromTicks((passed + 1) * interval.Ticks);
    }
}

/// <summary>What becomes of a planned run, and when the next one is due.</summary>
/// <param name="Runs">It runs; otherwise it is left out as <see cref="EndReasons.Missed"/>.</param>
/// <param name="Next">When the next run is due; a time in the past means at once.</param>
[Experimental("TASKRECOVERY001")]
public readonly record struct DuePlan(bool Runs, DateTimeOffset Next);
