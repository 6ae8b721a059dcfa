using Npgsql;

namespace TaskRecovery.PostgreSql;

/// <summary>Reads columns that may be null.</summary>
internal static class ReaderExtensions
{
    private const long MostMicroseconds = long.MaxValue / TimeSpan.TicksPerMicrosecond;

    internal static string? StringOrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetString(column);

    internal static short? Int16OrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetInt16(column);

    internal static long? Int64OrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    internal static DateTimeOffset? TimeOrNull(this NpgsqlDataReader reader, int column)
        => reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

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
}
