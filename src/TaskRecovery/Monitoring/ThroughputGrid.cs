using TaskRecovery.Rules;
using TaskRecovery.Storage;

namespace TaskRecovery.Monitoring;

/// <summary>The intervals of a throughput query. Pure.</summary>
/// <param name="From">The begin of the first interval.</param>
/// <param name="To">The end of the last interval.</param>
/// <param name="Bucket">The length of an interval.</param>
internal sealed record ThroughputGrid(DateTimeOffset From, DateTimeOffset To, TimeSpan Bucket)
{
    private const int MaxIntervals = 5_000;

    // A point is about 100 bytes. A thousand kinds have no more than 100 intervals each then.
    private const int MaxPoints = 100_000;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private static readonly EntryTotals Nothing = new();

    /// <summary>Whether the counts of hours suffice. Those of minutes are kept only for a day.</summary>
    public bool ByHour => Bucket.Ticks % Hour.Ticks == 0;

    /// <summary>The number of intervals.</summary>
    public int Count => (int)((To - From) / Bucket);

    /// <summary>Chooses the intervals.</summary>
    /// <exception cref="ArgumentException">The range is empty or has too many intervals, or the length is not whole minutes.</exception>
    public static ThroughputGrid For(ThroughputQuery query)
    {
        ArgumentNullException.ThrowIfNull(query);
        QueryRules.CheckDefined(query.By, nameof(query));
        if (query.To <= query.From)
        {
            throw new ArgumentException($"The range from {query.From:O} to {query.To:O} is empty: {nameof(query.To)} must be later "
                + $"than {nameof(query.From)}.", nameof(query));
        }

        var length = query.To - query.From;
        var bucket = query.Bucket ?? (length <= Hour * 2 ? Minute : length <= Day * 7 ? Hour : Day);
        if (bucket < Minute || bucket.Ticks % Minute.Ticks != 0)
        {
            throw new ArgumentException($"{nameof(query.Bucket)} is {bucket}: use one minute or more, in whole minutes.", nameof(query));
        }

        var from = Floor(query.From, bucket);
        var count = ((query.To.UtcTicks - from.UtcTicks - 1) / bucket.Ticks) + 1;
        return count <= MaxIntervals
            ? new ThroughputGrid(from, new DateTimeOffset(from.UtcTicks + (count * bucket.Ticks), TimeSpan.Zero), bucket)
            : throw new ArgumentException(
                $"The range from {query.From:O} to {query.To:O} has {count:N0} intervals of {bucket}: use at most {MaxIntervals:N0}, "
                + $"with a longer {nameof(query.Bucket)} or a shorter range.",
                nameof(query));
    }

    /// <summary>Adds up stored counts for each interval.</summary>
    /// <exception cref="ArgumentException">There are too many intervals for so many queues or kinds.</exception>
    public Throughput Fill(IReadOnlyList<StatisticsRow> rows, ThroughputGrouping by)
    {
        var groups = rows.GroupBy(row
            => by switch { ThroughputGrouping.Queue => row.Queue, ThroughputGrouping.Kind => row.Kind, _ => "" }, StringComparer.Ordinal)
            .OrderBy(static group => group.Key, StringComparer.Ordinal)
            .ToList();
        if ((long)groups.Count * Count > MaxPoints)
        {
            throw new ArgumentException(
                $"The answer would have {groups.Count:N0} series of {Count:N0} intervals, which is more than {MaxPoints:N0} points: "
                + $"use a longer {nameof(ThroughputQuery.Bucket)}, or a queue or kind.",
                nameof(by));
        }

        var series = groups.ConvertAll(
            group => new ThroughputSeries(by == ThroughputGrouping.None ? null : group.Key, Points(group)));
        if (series.Count == 0 && by == ThroughputGrouping.None)
        {
            series.Add(new ThroughputSeries(null, Points([])));
        }

        return new Throughput(Bucket, series);
    }

    private List<ThroughputPoint> Points(IEnumerable<StatisticsRow> rows)
    {
        var totals = new EntryTotals[Count];
        foreach (var row in rows)
        {
            if (row.At >= From && row.At < To)
            {
                var index = (int)((row.At - From) / Bucket);
                totals[index] = totals[index]?.Add(row.Totals) ?? row.Totals;
            }
        }

        return [.. totals.Select((total, index) => new ThroughputPoint(From + (Bucket * index), total ?? Nothing))];
    }

    // Intervals of a day or less are on the grid of UTC midnights.
    private static DateTimeOffset Floor(DateTimeOffset time, TimeSpan bucket)
    {
        var since = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        var rest = ((since % bucket.Ticks) + bucket.Ticks) % bucket.Ticks;
        return new DateTimeOffset(time.UtcTicks - rest, TimeSpan.Zero);
    }
}
