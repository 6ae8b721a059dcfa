using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Reads columns that may be null.</summary>
internal static class ReaderExtensions
{
    private const long MostMicroseconds = long.MaxValue / TimeSpan.TicksPerMicrosecond;

    // PostgreSQL counts microseconds from here.
    private static readonly DateTime Epoch = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly long Earliest = Since(DateTime.MinValue.AddDays(1));
    private static readonly long Latest = Since(DateTime.MaxValue.AddDays(-1));

    internal static string? StringOrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetString(column);

    internal static short? Int16OrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetInt16(column);

    internal static long? Int64OrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    internal static DateTimeOffset? TimeOrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.Time(column);

    /// <summary>A time. A row that was edited by hand may have one that .NET does not know: it is read as the nearest one that is a day
    /// away from the limits of <c>DateTime</c>, so that arithmetic is possible (see <see cref="Arg.Instant"/>).</summary>
    internal static DateTimeOffset Time(this NpgsqlDataReader reader, int column) => new(reader.UtcTime(column));

    /// <summary>As <see cref="Time"/>.</summary>
    internal static DateTime UtcTime(this NpgsqlDataReader reader, int column)
        => Epoch.AddTicks(Math.Clamp(reader.GetFieldValue<long>(column), Earliest, Latest) * TimeSpan.TicksPerMicrosecond);

    /// <summary>When a run began, from when it ended and its duration. A row that was edited by hand may have any numbers.</summary>
    internal static DateTimeOffset Start(DateTimeOffset end, int milliseconds)
        => new(
            Math.Clamp(
                end.UtcTicks - (milliseconds * TimeSpan.TicksPerMillisecond), DateTimeOffset.MinValue.Ticks, DateTimeOffset.MaxValue.Ticks),
            TimeSpan.Zero);

    /// <summary>An interval that the statement returns as a number of microseconds. A row that was edited by hand may have any
    /// number.</summary>
    internal static TimeSpan? MicrosecondsOrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column)
            ? null
            : TimeSpan.FromTicks(
                Math.Clamp(reader.GetInt64(column), -MostMicroseconds, MostMicroseconds) * TimeSpan.TicksPerMicrosecond);

    /// <summary>Reads the first column of all rows.</summary>
    internal static async ValueTask<List<long>> ReadIdsAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        var ids = new List<long>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            ids.Add(reader.GetInt64(0));
        }

        return ids;
    }

    private static long Since(DateTime time) => (time - Epoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
