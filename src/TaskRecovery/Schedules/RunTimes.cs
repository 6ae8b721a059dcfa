using TaskRecovery.Rules;

namespace TaskRecovery.Schedules;

/// <summary>The due times of a job: those of its schedule, from its start to its end, without its exceptions. Pure: the same job and times
/// give the same answer on every node.</summary>
internal sealed class RunTimes
{
    private const int MostPreviewed = 1_000;

    // The search for a due time that is not excluded ends after this many excluded ones, a fraction of a second later: rows of jobs are
    // locked meanwhile. Excluded days are skipped as a whole, so that this is enough for five hundred years of them.
    private const int MostExcluded = 200_000;

    // A job without a run in a hundred years has none. JobRules refuses such a definition.
    private static readonly TimeSpan Never = TimeSpan.FromDays(36_500);

    private readonly Schedule _schedule;
    private readonly DateTimeOffset? _startAt;
    private readonly DateTimeOffset? _endAt;
    private readonly CronSchedule? _cron;
    private readonly ScheduleExceptions? _except;
    private readonly ExcludedTimes? _excluded;

    /// <param name="name">The name of the job, from which <c>H</c> in a cron expression gets its value.</param>
    /// <param name="schedule">The schedule.</param>
    /// <param name="startAt">The time before which no run is due.</param>
    /// <param name="endAt">The time after which no run is due.</param>
    /// <param name="except">The exceptions.</param>
    /// <exception cref="TimeZoneNotFoundException">This machine does not know the time zone of the schedule.</exception>
    /// <exception cref="ArgumentException">The stored cron expression is invalid.</exception>
    public RunTimes(string name, Schedule schedule, DateTimeOffset? startAt, DateTimeOffset? endAt, ScheduleExceptions? except)
    {
        (_schedule, _startAt, _endAt, _except) = (schedule, startAt, endAt, except);
        var zone = schedule.TimeZone is { } id ? TimeZones.Get(id) : TimeZoneInfo.Utc;
        _cron = schedule.Expression is { } expression ? CronSchedule.Parse(expression, zone, name) : null;
        _excluded = except is not null ? new ExcludedTimes(except, zone, name) : null;
    }

    /// <summary>Whether the due times of the schedule do not depend on when it was stored.</summary>
    public bool IsCron => _cron is not null;

    /// <summary>Returns the first due time of a new job, or of a job whose due times have changed. A job with an interval begins at its
    /// start, also if that is in the past; a cron job begins with the first due time that is yet to come.</summary>
    public DateTimeOffset? First(DateTimeOffset now)
        => IsCron ? NextAfter(now, now) : OrLater((_schedule.At ?? _startAt) ?? now);

    /// <summary>Returns the first due time after a time.</summary>
    /// <param name="after">The time.</param>
    /// <param name="grid">A due time to which the other due times of an interval are relative. If the job's start is later, it is that
    /// instead, and it is a due time itself.</param>
    /// <returns><see langword="null"/> if there is none.</returns>
    /// <exception cref="ArgumentException">The search was given up, because it met nothing but exceptions.</exception>
    public DateTimeOffset? NextAfter(DateTimeOffset after, DateTimeOffset grid)
        => TryNextAfter(after, grid, out var next) ? next : throw TooManyExceptions("after", after);

    /// <summary>As <see cref="NextAfter"/>.</summary>
    /// <returns><see langword="false"/> if the search was given up, because it met nothing but exceptions.</returns>
    public bool TryNextAfter(DateTimeOffset after, DateTimeOffset grid, out DateTimeOffset? next, int mostExcluded = MostExcluded)
    {
        next = Follow(after, grid);
        for (var met = 0; next is { } due && !IsOver(due); met++)
        {
            if (_excluded?.Contains(due) is not true)
            {
                return true;
            }

            if (met == mostExcluded)
            {
                next = null;
                return due - after > Never;
            }

            next = Follow(_excluded.EndOf(due).AddTicks(-1), grid);
        }

        next = null;
        return true;
    }

    /// <summary>Returns the last due time at or before a time, and not before <paramref name="first"/>; <see langword="null"/> if there is
    /// none.</summary>
    /// <param name="until">The time.</param>
    /// <param name="first">A due time of the job.</param>
    /// <exception cref="ArgumentException">The search was given up, because it met nothing but exceptions.</exception>
    public DateTimeOffset? LatestUpTo(DateTimeOffset until, DateTimeOffset first)
    {
        var met = 0;
        for (var at = Precede(until > _endAt ? _endAt.Value : until, first); at is { } due && due >= first; met++)
        {
            if (_excluded?.Contains(due) is not true)
            {
                return due;
            }

            if (met == MostExcluded)
            {
                throw TooManyExceptions("before", until);
            }

            at = Precede(_excluded.Before(due), first);
        }

        return null;
    }

    /// <summary>Returns the due times after a time.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not 1 to 1,000.</exception>
    public List<DateTimeOffset> Preview(DateTimeOffset after, DateTimeOffset grid, int count)
    {
        CheckPreviewed(count);
        if (_schedule.At is { } at)
        {
            return at > after && OrLater(at) is { } only ? [only] : [];
        }

        var runs = new List<DateTimeOffset>();
        for (var next = NextAfter(after, grid); runs.Count < count && next is { } run; next = NextAfter(run, grid))
        {
            runs.Add(run);
        }

        return runs;
    }

    /// <summary>Checks how many runs a preview has.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not 1 to 1,000.</exception>
    public static void CheckPreviewed(int count)
    {
        if (count is < 1 or > MostPreviewed)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"A preview has 1 to {MostPreviewed:N0} runs.");
        }
    }

    /// <summary>Returns the due times of a range, both ends included, up to a number of them.</summary>
    /// <param name="from">The beginning of the range.</param>
    /// <param name="to">The end of the range.</param>
    /// <param name="grid">A due time to which the other due times of an interval are relative, before and after it.</param>
    /// <param name="most">How many due times to return at most.</param>
    public List<DateTimeOffset> Between(DateTimeOffset from, DateTimeOffset to, DateTimeOffset grid, int most)
    {
        if (_schedule.Interval is { } interval && from < grid)
        {
            grid -= TimeSpan.FromTicks((((grid - from).Ticks / interval.Ticks) + 1) * interval.Ticks);
        }

        var dues = new List<DateTimeOffset>();
        for (var next = NextAfter(from.AddTicks(-1), grid); dues.Count < most && next <= to; next = NextAfter(next.Value, grid))
        {
            dues.Add(next.Value);
        }

        return dues;
    }

    /// <summary>Returns a time if it is not excluded and not over, or else the first due time after it.</summary>
    public DateTimeOffset? OrLater(DateTimeOffset due)
        => IsOver(due) ? null : _excluded?.Contains(due) is true ? NextAfter(due, due) : due;

    // No answer is not the answer that there is no run, which would end the job.
    private ArgumentException TooManyExceptions(string direction, DateTimeOffset time)
        => new($"The exceptions '{_except}' exclude the {MostExcluded:N0} due times {direction} {time:O}, and the search ends there. "
            + "Exclude whole days, which are skipped at once: dates, or '*' as second, minute and hour.", nameof(time));

    private bool IsOver(DateTimeOffset due) => due > _endAt || due > EntryLimits.LatestTime;

    private DateTimeOffset? Follow(DateTimeOffset after, DateTimeOffset grid)
    {
        if (after >= EntryLimits.LatestTime)
        {
            return null;
        }

        if (_cron is not null)
        {
            return _cron.NextAfter(_startAt is { } start && start > after ? start.AddTicks(-1) : after);
        }

        if (_schedule.Interval is not { } interval)
        {
            return null;
        }

        var first = _startAt > grid ? _startAt.Value : grid;
        return after < first ? first : first + TimeSpan.FromTicks((((after - first).Ticks / interval.Ticks) + 1) * interval.Ticks);
    }

    // A start that is later than the planned run was stored after that run was planned. No run is due between the two.
    private DateTimeOffset? Precede(DateTimeOffset until, DateTimeOffset grid)
    {
        var start = _startAt > grid ? _startAt.Value : grid;
        var latest = _cron is not null ? _cron.LatestUpTo(until)
            : _schedule.Interval is { } interval && until >= start
            ? start + TimeSpan.FromTicks((until - start).Ticks / interval.Ticks * interval.Ticks)
            : null;
        return latest >= start ? latest : grid <= until ? grid : null;
    }
}
