using Cronos;

namespace TaskRecovery.Schedules;

/// <summary>The local times, in ticks without an offset, that match a cron expression. Knows of no time zone.</summary>
internal sealed class LocalCron(CronExpression expression)
{
    private const int SpanGrowth = 8;

    /// <summary>Returns the first match after a time; <see langword="null"/> if there is none.</summary>
    public long? NextAfter(long after) => expression.GetNextOccurrence(AsDateTime(after))?.Ticks;

    /// <summary>Returns the last match up to a time; <see langword="null"/> if there is none.</summary>
    /// <remarks>It searches forwards, in ever longer spans that end at the time, because what Cronos finds backwards may not match
    /// (HangfireIO/Cronos#99).</remarks>
    public long? LatestUpTo(long until)
    {
        var end = until;
        for (var span = TimeSpan.TicksPerMinute; end >= 0; span *= SpanGrowth)
        {
            if (NextAfter(until - span) is { } first && first <= until)
            {
                return LastFrom(first, end);
            }

            // Nothing matches after this.
            end = until - span;
        }

        return null;
    }

    // A step to the next match ends the search if matches are rare, and half of the time that is left is skipped if they are many.
    private long LastFrom(long match, long until)
    {
        while (NextAfter(match) is { } next && next <= until)
        {
            var middle = next + ((until - next) / 2);
            (match, until) = NextAfter(middle) is { } later && later <= until ? (later, until) : (next, middle);
        }

        return match;
    }

    // Cronos takes times of UTC, whose clocks never change.
    private static DateTime AsDateTime(long local) => new(Math.Clamp(local, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc);
}
