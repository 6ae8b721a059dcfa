using Npgsql;
using NpgsqlTypes;

namespace TaskRecovery.PostgreSql;

/// <summary>Creates positional parameters with an explicit type, so that a null is typed too and each statement is prepared only
/// once.</summary>
internal static class Arg
{
    private static readonly long Earliest = DateTime.MinValue.Ticks + TimeSpan.TicksPerDay;
    private static readonly long Latest = DateTime.MaxValue.Ticks - TimeSpan.TicksPerDay;

    internal static NpgsqlParameter Int8(long value)
        => new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint };

    internal static NpgsqlParameter Int8(long? value) => Any(value, NpgsqlDbType.Bigint);

    internal static NpgsqlParameter Xid8(ulong value)
        => new NpgsqlParameter<ulong> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Xid8 };

    internal static NpgsqlParameter Micros(TimeSpan value) => Int8(value.Ticks / TimeSpan.TicksPerMicrosecond);

    internal static NpgsqlParameter Micros(TimeSpan? value) => Int8(value?.Ticks / TimeSpan.TicksPerMicrosecond);

    internal static NpgsqlParameter Int4(int value) => new NpgsqlParameter<int> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Integer };

    internal static NpgsqlParameter Int2(int value)
        => new NpgsqlParameter<short> { TypedValue = checked((short)value), NpgsqlDbType = NpgsqlDbType.Smallint };

    internal static NpgsqlParameter Int2(int? value) => Any((short?)value, NpgsqlDbType.Smallint);

    internal static NpgsqlParameter Bool(bool value)
        => new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean };

    internal static NpgsqlParameter Uuid(Guid value) => new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid };

    internal static NpgsqlParameter Uuid(Guid? value) => Any(value, NpgsqlDbType.Uuid);

    internal static NpgsqlParameter Text(string? value) => Any(value, NpgsqlDbType.Text);

    /// <summary>JSON in UTF-8, sent without conversion.</summary>
    internal static NpgsqlParameter Utf8(ReadOnlyMemory<byte> value)
        => new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    internal static NpgsqlParameter Interval(TimeSpan? value) => Any(Span(value), NpgsqlDbType.Interval);

    internal static NpgsqlParameter Time(DateTimeOffset? value) => Any(Instant(value), NpgsqlDbType.TimestampTz);

    /// <summary>Sends the length in microseconds, not in days: PostgreSQL counts a day in the session's time zone, where it can have 23
    /// hours.</summary>
    internal static NpgsqlInterval? Span(TimeSpan? value)
        => value is { } span ? new NpgsqlInterval(months: 0, days: 0, span.Ticks / TimeSpan.TicksPerMicrosecond) : null;

    /// <summary>Keeps a time one day away from the limits of <c>DateTime</c>: Npgsql sends the limits as infinity, which allows no
    /// arithmetic.</summary>
    internal static DateTime? Instant(DateTimeOffset? value)
        => value is { } time ? new DateTime(Math.Clamp(time.UtcTicks, Earliest, Latest), DateTimeKind.Utc) : null;

    internal static NpgsqlParameter Array<T>(T[] values, NpgsqlDbType type)
        => new NpgsqlParameter<T[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };

    internal static NpgsqlParameter Names(IReadOnlyCollection<string>? names)
        => Any(names?.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);

    private static NpgsqlParameter Any(object? value, NpgsqlDbType type) => new() { Value = value ?? DBNull.Value, NpgsqlDbType = type };
}
