namespace TaskRecovery.Storage;

/// <summary>The largest counts that are stored and shown. Another program, or a role that may only enqueue, can write any number.</summary>
internal static class StatisticsLimits
{
    /// <summary>The largest count of entries in a row.</summary>
    internal const long Entries = 999_999_999_999;

    /// <summary>The most milliseconds in a row.</summary>
    internal const long Milliseconds = 99_999_999_999_999;

    /// <summary>The largest sum: as milliseconds it fits into a <see cref="TimeSpan"/>.</summary>
    internal const long Sum = 900_000_000_000_000;

    /// <summary>The largest value of a column.</summary>
    internal static long Of(string column) => column.EndsWith("_ms", StringComparison.Ordinal) ? Milliseconds : Entries;
}
