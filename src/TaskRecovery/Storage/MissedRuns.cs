using System.Diagnostics.CodeAnalysis;
using TaskRecovery.Schedules;

namespace TaskRecovery.Storage;

/// <summary>Decides whether a job's planned run starts, and when the next run is due. Pure functions that every store calls when the
/// planned run is about to start.</summary>
/// <remarks>A run is missed if the due time after it has passed too. A run that is late by less is not missed, and starts.</remarks>
[Experimental("TASKRECOVERY001")]
public static class MissedRuns
{
    private const int MostCounted = 1_000;

    /// <summary>Decides about the planned run.</summary>
    /// <param name="job">The job. Its next run is the one that is about to start.</param>
    /// <param name="rules">The rules of the job for runs that start late.</param>
    /// <param name="now">The store's clock.</param>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone of the schedule.</exception>
    /// <exception cref="ArgumentException">The schedule has no next due time that is later.</exception>
    public static PlannedStart Plan(JobTiming job, MissedRunRules rules, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(rules);
        var due = job.NextRunAt ?? now;
        var start = Plan(job.GetTimes(), due, rules, now);

        // The run would be planned for the same time again and again, without end.
        return start.Next <= due
            ? throw new ArgumentException(
                $"The run of '{job.Schedule}' after {due:O} would be due at {start.Next:O}, which is not later. Check the time zone data "
                + "of this machine, or change the expression.", nameof(job))
            : start;
    }

    private static PlannedStart Plan(RunTimes times, DateTimeOffset due, MissedRunRules rules, DateTimeOffset now)
    {
        // Time passes, so that a search from now on ends some day.
        var following = times.TryNextAfter(due, due, out var found) ? found : times.NextAfter(now > due ? now : due, due);
        var isExpired = now - due > rules.ExpiresAfter;
        if (following is null || following >= now)
        {
            var next = following == now && rules.Policy != MissedRunPolicy.RunAll ? times.NextAfter(now, due) : following;
            return new PlannedStart(isExpired ? EndReasons.Expired : null, next, IsMissed: false);
        }

        return rules.Policy switch
        {
            MissedRunPolicy.Skip => new PlannedStart(EndReasons.Missed, times.NextAfter(now, due), IsMissed: true),
            MissedRunPolicy.RunAll => PlanAll(times, due, isExpired, rules, now),
            _ => PlanOne(times, due, rules, now),
        };
    }

    // The one run stands for the latest of the missed ones: it starts if that one may still start.
    private static PlannedStart PlanOne(RunTimes times, DateTimeOffset due, MissedRunRules rules, DateTimeOffset now)
    {
        var late = now - (LatestUpTo(times, now, due, PauseOf(rules, now)) ?? due);
        var reason = late > rules.ExpiresAfter ? EndReasons.Expired : late > rules.CatchUpWithin ? EndReasons.Missed : null;
        return new PlannedStart(reason, times.NextAfter(now, due), IsMissed: true);
    }

    private static PlannedStart PlanAll(RunTimes times, DateTimeOffset due, bool isExpired, MissedRunRules rules, DateTimeOffset now)
    {
        var pause = PauseOf(rules, now);
        var first = FirstWithinLimit(times, due, rules.CatchUpLimit, now, pause);
        var reason = isExpired ? EndReasons.Expired : due < first || now - due > rules.CatchUpWithin ? EndReasons.Missed : null;
        var from = Later(Later(Later(first, now - rules.CatchUpWithin), now - rules.ExpiresAfter), rules.ChangedAt).AddTicks(-1);
        var next = times.NextAfter(from > due ? from : due, due);
        if (pause is { } past && next >= past.From && next < past.Until)
        {
            next = times.NextAfter(past.Until.AddTicks(-1), due);
        }

        return new PlannedStart(reason, next, IsMissed: true, CountDropped(times, due, reason is not null, next, now, pause));
    }

    // If a pause was ended with SQL, its end may be still to come. Then it does not count.
    private static (DateTimeOffset From, DateTimeOffset Until)? PauseOf(MissedRunRules rules, DateTimeOffset now)
        => rules is { PausedFrom: { } from, PausedUntil: { } until } && until <= now ? (from, until) : null;

    // Without a next run, the due times up to now are not made up for. Those of a pause do not count.
    private static int CountDropped(
        RunTimes times, DateTimeOffset due, bool isDropped, DateTimeOffset? next, DateTimeOffset now,
        (DateTimeOffset From, DateTimeOffset Until)? pause)
    {
        var (first, last) = (isDropped ? due : due.AddTicks(1), next?.AddTicks(-1) ?? now);
        if (pause is not { } past)
        {
            return Count(first, last);
        }

        var before = past.From.AddTicks(-1);
        return Math.Min(MostCounted, Count(first, before < last ? before : last) + Count(Later(first, past.Until), last));

        int Count(DateTimeOffset from, DateTimeOffset to) => times.Between(from, to, due, MostCounted).Count;
    }

    // Counts back from now, so that the cost does not depend on how long ago the planned run was due.
    private static DateTimeOffset FirstWithinLimit(
        RunTimes times, DateTimeOffset due, int limit, DateTimeOffset now, (DateTimeOffset From, DateTimeOffset Until)? pause)
    {
        var first = now;
        for (var count = 0; count < limit; count++)
        {
            if (LatestUpTo(times, count == 0 ? now : first.AddTicks(-1), due, pause) is not { } earlier)
            {
                return due;
            }

            first = earlier;
        }

        return first;
    }

    // The due times of a pause are not made up for.
    private static DateTimeOffset? LatestUpTo(
        RunTimes times, DateTimeOffset time, DateTimeOffset due, (DateTimeOffset From, DateTimeOffset Until)? pause)
    {
        var latest = times.LatestUpTo(time, due);
        return pause is { } past && latest >= past.From && latest < past.Until
            ? past.From > due ? times.LatestUpTo(past.From.AddTicks(-1), due) : null
            : latest;
    }

    private static DateTimeOffset Later(DateTimeOffset time, DateTimeOffset? other) => other > time ? other.Value : time;
}
