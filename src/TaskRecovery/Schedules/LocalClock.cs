namespace TaskRecovery.Schedules;

/// <summary>The local times of a time zone, as a function of the offset at an instant.</summary>
/// <remarks>
/// Instants are in ticks of UTC; local times are in ticks without an offset. On Linux, <see cref="TimeZoneInfo.IsInvalidTime"/> and
/// <see cref="TimeZoneInfo.IsAmbiguousTime(DateTime)"/> are wrong for zones that change their standard offset, such as Europe/Dublin and
/// Africa/Casablanca (dotnet/runtime#120915). The offset at an instant is right for every zone. The clocks of a zone are expected to change
/// at whole seconds, and at most once within a day.
/// </remarks>
internal sealed class LocalClock(TimeZoneInfo zone)
{
    /// <summary>The time within which clocks change at most once. No offset is longer, nor the time that a change skips or
    /// repeats.</summary>
    public const long Day = TimeSpan.TicksPerDay;

    /// <summary>Returns the offset from UTC at an instant.</summary>
    public long OffsetAt(long instant)
        => zone.GetUtcOffset(new DateTime(Math.Clamp(instant, 0, DateTime.MaxValue.Ticks), DateTimeKind.Utc)).Ticks;

    /// <summary>Returns the instant of the change of the clocks after one instant and up to another; <see langword="null"/> if there is
    /// none.</summary>
    /// <param name="after">The earlier instant.</param>
    /// <param name="upTo">The later instant, two days later at most.</param>
    public long? ChangeWithin(long after, long upTo)
    {
        var before = OffsetAt(after);
        if (OffsetAt(upTo) == before)
        {
            return null;
        }

        while (upTo - after > TimeSpan.TicksPerSecond)
        {
            var middle = after + ((upTo - after) / 2);
            (after, upTo) = OffsetAt(middle) == before ? (middle, upTo) : (after, middle);
        }

        // The only whole second between the two instants. A caller must get ahead even if the clocks change within a second.
        var second = upTo - (upTo % TimeSpan.TicksPerSecond);
        return second > after ? second : upTo;
    }

    /// <summary>Returns the instant at which the clocks were set back, if the local time at an instant is the second of two that are the
    /// same; otherwise <see langword="null"/>.</summary>
    public long? RepeatBegin(long instant)
        => ChangeWithin(instant - Day, instant) is { } change && change + OffsetAt(change - 1) > instant + OffsetAt(instant)
            ? change
            : null;

    /// <summary>Returns the first instant of a local time; for a local time that the clocks skip, the end of the gap.</summary>
    public DateTimeOffset FirstInstantOf(DateTime local)
    {
        var instant = local.Ticks - Day;
        while (true)
        {
            var expected = local.Ticks - OffsetAt(instant);
            if (ChangeWithin(instant, expected) is not { } change)
            {
                return TimeOf(expected);
            }

            if (change + OffsetAt(change) >= local.Ticks)
            {
                return TimeOf(change);
            }

            instant = change;
        }
    }

    private static DateTimeOffset TimeOf(long instant) => new(Math.Clamp(instant, 0, DateTime.MaxValue.Ticks), TimeSpan.Zero);
}
