namespace TaskRecovery.Schedules;

/// <summary>A cron expression in a time zone.</summary>
/// <remarks>
/// <see cref="LocalCron"/> searches the local times, and <see cref="LocalClock"/> maps them to instants. Cronos can map them itself, but
/// relies on answers of the runtime that are wrong for some zones, and may return the time after which it searched.
/// What clocks skip runs once, at the end of the gap, unless the runs before and after the gap are an hour apart or less without it. If an
/// hour occurs twice, a fixed time runs once, at the first occurrence; an expression with <c>*</c>, a step or a range in its second, minute
/// or hour runs at both.
/// </remarks>
internal sealed class CronSchedule
{
    private readonly string _text;
    private readonly LocalCron _cron;
    private readonly bool _isRepeated;
    private readonly TimeZoneInfo _zone;
    private readonly LocalClock _clock;

    private CronSchedule(string text, LocalCron cron, bool isRepeated, TimeZoneInfo zone)
    {
        (_text, _cron, _isRepeated, _zone) = (text, cron, isRepeated, zone);
        _clock = new LocalClock(zone);
    }

    /// <summary>Parses an expression.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="zone">The time zone of the expression.</param>
    /// <param name="jobName">The job name, from whose hash <c>H</c> gets its value.</param>
    /// <exception cref="ArgumentException">The expression is invalid.</exception>
    public static CronSchedule Parse(string text, TimeZoneInfo zone, string jobName)
        => new(text, new LocalCron(CronText.Parse(text, jobName, out var isRepeated)), isRepeated, zone);

    /// <summary>Returns the first run after a time; <see langword="null"/> if there is none before the year 2500, the limit of
    /// Cronos.</summary>
    /// <exception cref="ArgumentException">The run that was found is not later, which is an error in the search. The job can't be planned
    /// then.</exception>
    public DateTimeOffset? NextAfter(DateTimeOffset after)
    {
        if (Next(after.UtcTicks) is not { } ticks)
        {
            return null;
        }

        // The planning of runs would never end.
        var next = new DateTimeOffset(ticks, TimeSpan.Zero);
        return next > after
            ? next
            : throw new ArgumentException(
                $"The run of the cron expression '{_text}' in the time zone '{_zone.Id}' after {after:O} would be {next:O}, which is not "
                + "later. This is an error in TaskRecovery or in the time zone data of this machine.",
                nameof(after));
    }

    /// <summary>Returns the last run at or before a time; <see langword="null"/> if there is none.</summary>
    public DateTimeOffset? LatestUpTo(DateTimeOffset until)
        => Latest(until.UtcTicks) is { } ticks and >= 0 ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    /// <summary>Returns whether the expression has a run at exactly this time.</summary>
    public bool Matches(DateTimeOffset at) => Next(at.UtcTicks - 1) == at.UtcTicks;

    // `local` is the first match after the local time of `at`. It is due at `due` unless the clocks change before that.
    private long? Next(long after)
    {
        var (at, offset) = (after, _clock.OffsetAt(after));
        var repeated = _isRepeated ? null : _clock.RepeatBegin(at);
        var local = _cron.NextAfter(repeated is { } begin ? begin + _clock.OffsetAt(begin - 1) - 1 : at + offset);
        while (local is { } time)
        {
            var due = time - offset;
            var near = Math.Min(due, at + LocalClock.Day);
            if (_clock.ChangeWithin(at, near) is { } change)
            {
                (at, var before, offset) = (change, offset, _clock.OffsetAt(change));
                if (time < at + offset && !IsBridged(at + before, at + offset))
                {
                    return at;
                }

                local = _isRepeated || time < at + offset ? _cron.NextAfter(at + offset - 1) : local;
            }
            else if (near == due)
            {
                return due;
            }
            else
            {
                // Nothing matches until `local`: of the changes of the clocks, only those that are near it matter.
                at = Math.Max(near, due - (2 * LocalClock.Day));
                offset = _clock.OffsetAt(at);
            }
        }

        return null;
    }

    // As Next, but `local` is the last match up to the local time of `at`.
    private long? Latest(long until)
    {
        var (at, offset) = (until, _clock.OffsetAt(until));
        var local = _cron.LatestUpTo(at + offset);
        while (local is { } time)
        {
            var due = time - offset;
            var near = Math.Max(due, at - LocalClock.Day);
            var change = _clock.ChangeWithin(near, at);
            if (change is null && near > due)
            {
                at = Math.Min(near, due + (2 * LocalClock.Day));
                offset = _clock.OffsetAt(at);
                continue;
            }

            change ??= _isRepeated ? null : _clock.RepeatBegin(due);
            if (change is not { } begin)
            {
                return due;
            }

            // A local time that is neither before the change nor after it is in a gap.
            var before = _clock.OffsetAt(begin - 1);
            if (time >= begin + before && !IsBridged(begin + before, begin + offset))
            {
                return begin;
            }

            (at, offset) = (begin - 1, before);
            local = _cron.LatestUpTo(at + offset);
        }

        return null;
    }

    // An hourly job does not need a run at the end of a gap, at which all hourly jobs would be due in the same second.
    private bool IsBridged(long gapBegin, long gapEnd)
        => _cron.LatestUpTo(gapBegin - 1) is { } last && _cron.NextAfter(gapEnd - 1) is { } first
            && gapBegin - last + (first - gapEnd) <= TimeSpan.TicksPerHour;
}
