namespace TaskRecovery.Sqlite;

/// <summary>Stored times: microseconds since 1970, the same precision as PostgreSQL's.</summary>
internal static class Micros
{
    /// <summary>The beginning of the year 9999.</summary>
    public const long Latest = 253_370_764_800_000_000;

    private static readonly long Earliest = From(DateTimeOffset.MinValue);
    private static readonly long LongestSpan = From(TimeSpan.FromDays(36_500));
    private static readonly long LatestPlanned = From(new DateTimeOffset(9000, 1, 1, 0, 0, 0, TimeSpan.Zero));

    /// <summary>Rounds up, so that nothing runs before its time.</summary>
    public static long From(DateTimeOffset time) => Ceiling(time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks);

    public static long From(TimeSpan time) => Ceiling(time.Ticks);

    public static long? From(TimeSpan? time) => time is { } some ? From(some) : null;

    public static long? From(DateTimeOffset? time) => time is { } some ? From(some) : null;

    /// <summary>Rounds down, for a time after which nothing runs.</summary>
    public static long? FromEnd(DateTimeOffset? time) => time is { } some ? Floor(some.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks) : null;

    /// <summary>Limits a time from a manually edited row to the range that calculations support.</summary>
    public static long? Clamp(long? micros) => micros is { } some ? Math.Clamp(some, Earliest, LatestPlanned) : null;

    /// <summary>Limits a duration from a manually edited row to 36,500 days either way, which calculations support.</summary>
    public static long? ClampSpan(long? micros) => micros is { } some ? Math.Clamp(some, -LongestSpan, LongestSpan) : null;

    /// <summary>Converts a stored time; a manually edited row may have any number.</summary>
    public static DateTimeOffset ToTime(long micros)
        => new(DateTimeOffset.UnixEpoch.UtcTicks + (Math.Clamp(micros, Earliest, Latest) * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static DateTimeOffset? ToTime(long? micros) => micros is { } some ? ToTime(some) : null;

    /// <summary>Returns when a run began, from when it ended and how long it lasted; a manually edited row may have any numbers.</summary>
    public static DateTimeOffset Start(long end, long duration)
        => ToTime(Math.Clamp(end, Earliest, Latest) - Math.Clamp(duration, -Latest, Latest));

    /// <summary>Converts a stored duration; a manually edited row may have any number.</summary>
    public static TimeSpan ToSpan(long micros) => TimeSpan.FromTicks(Math.Clamp(micros, -Latest, Latest) * TimeSpan.TicksPerMicrosecond);

    public static TimeSpan? ToSpan(long? micros) => micros is { } some ? ToSpan(some) : null;

    /// <summary>Returns how long ago a stored time was, at least zero. A time before 1970, which a manually edited row may have, counts as
    /// 1970, so that the difference is in range.</summary>
    public static long Since(long time, long now) => Math.Max(0, now - Math.Max(0, time));

    private static long Floor(long ticks) => (ticks / TimeSpan.TicksPerMicrosecond) - (ticks % TimeSpan.TicksPerMicrosecond < 0 ? 1 : 0);

    private static long Ceiling(long ticks) => (ticks / TimeSpan.TicksPerMicrosecond) + (ticks % TimeSpan.TicksPerMicrosecond > 0 ? 1 : 0);
}
