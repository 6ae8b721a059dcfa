using TaskRecovery.Monitoring;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Monitoring;

public sealed class ThroughputGridTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1, 60, false)]
    [InlineData(2, 120, false)]
    [InlineData(3, 3, true)]
    [InlineData(24, 24, true)]
    [InlineData(24 * 7, 24 * 7, true)]
    public void The_interval_fits_the_range(int hours, int count, bool byHour)
    {
        var grid = ThroughputGrid.For(new ThroughputQuery { From = Noon.AddHours(-hours), To = Noon });

        Assert.Equal((count, byHour), (grid.Count, grid.ByHour));
        Assert.Equal((Noon.AddHours(-hours), Noon), (grid.From, grid.To));
    }

    [Fact]
    public void A_long_range_has_days_from_midnight_to_midnight()
    {
        var grid = ThroughputGrid.For(new ThroughputQuery { From = Noon.AddDays(-90), To = Noon });

        Assert.Equal((91, TimeSpan.FromDays(1), TimeSpan.Zero), (grid.Count, grid.Bucket, grid.From.TimeOfDay));
    }

    [Fact]
    public void The_range_is_widened_to_whole_intervals()
    {
        var grid = ThroughputGrid.For(
            new ThroughputQuery { From = Noon.AddSeconds(-30), To = Noon.AddSeconds(90), Bucket = TimeSpan.FromMinutes(1) });

        Assert.Equal((Noon.AddMinutes(-1), Noon.AddMinutes(2), 3), (grid.From, grid.To, grid.Count));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void An_empty_range_is_refused(int hours)
    {
        var error = Assert.Throws<ArgumentException>(
            () => ThroughputGrid.For(new ThroughputQuery { From = Noon, To = Noon.AddHours(hours) }));

        Assert.Contains("is empty", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(90)]
    [InlineData(-60)]
    public void An_interval_is_whole_minutes(int seconds)
        => Assert.Throws<ArgumentException>(
            () => ThroughputGrid.For(new ThroughputQuery { From = Noon, To = Noon.AddHours(1), Bucket = TimeSpan.FromSeconds(seconds) }));

    [Fact]
    public void Too_many_intervals_are_refused_with_the_number()
    {
        var error = Assert.Throws<ArgumentException>(
            () => ThroughputGrid.For(new ThroughputQuery { From = Noon.AddDays(-30), To = Noon, Bucket = TimeSpan.FromMinutes(1) }));

        Assert.Contains("43,200 intervals", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_interval_has_a_point_and_counts_of_the_same_interval_are_added_up()
    {
        var grid = ThroughputGrid.For(new ThroughputQuery { From = Noon, To = Noon.AddHours(1), Bucket = TimeSpan.FromMinutes(20) });
        StatisticsRow[] rows = [Row(1, 1), Row(19, 2), Row(40, 4), Row(60, 8)];

        var throughput = grid.Fill(rows, ThroughputGrouping.None);

        var series = Assert.Single(throughput.Series);
        Assert.Null(series.Name);
        Assert.Equal([(Noon, 3L), (Noon.AddMinutes(20), 0L), (Noon.AddMinutes(40), 4L)], series.Points.Select(
            point => (point.At, point.Totals.Completed)));
    }

    [Fact]
    public void Nothing_counted_is_a_series_of_zeros()
    {
        var grid = ThroughputGrid.For(new ThroughputQuery { From = Noon, To = Noon.AddHours(1) });

        Assert.Equal(60, Assert.Single(grid.Fill([], ThroughputGrouping.None).Series).Points.Count);
        Assert.Empty(grid.Fill([], ThroughputGrouping.Queue).Series);
    }

    [Fact]
    public void Series_are_separated_and_ordered_by_name()
    {
        var grid = ThroughputGrid.For(new ThroughputQuery { From = Noon, To = Noon.AddHours(1) });
        StatisticsRow[] rows = [Row(1, 1) with { Queue = "b" }, Row(2, 2) with { Queue = "a" }, Row(3, 4) with { Queue = "b" }];

        var throughput = grid.Fill(rows, ThroughputGrouping.Queue);

        Assert.Equal([("a", 2L), ("b", 5L)], throughput.Series.Select(
            series => (series.Name, series.Points.Sum(point => point.Totals.Completed))));
    }

    [Theory]
    [InlineData(20, true)]
    [InlineData(21, false)]
    public void Too_many_points_are_refused_before_they_are_made(int kinds, bool isAnswered)
    {
        var grid = ThroughputGrid.For(new ThroughputQuery
        {
            From = Noon.AddMinutes(-5_000),
            To = Noon,
            Bucket = TimeSpan.FromMinutes(1),
        });
        StatisticsRow[] rows = [.. Enumerable.Range(0, kinds).Select(number => Row(-1, 1) with { Kind = $"kind-{number:00}" })];

        if (isAnswered)
        {
            Assert.Equal(kinds, grid.Fill(rows, ThroughputGrouping.Kind).Series.Count);
            return;
        }

        var error = Assert.Throws<ArgumentException>(() => grid.Fill(rows, ThroughputGrouping.Kind));
        Assert.Contains("21 series of 5,000 intervals", error.Message, StringComparison.Ordinal);
        Assert.Contains("use a longer Bucket, or a queue or kind", error.Message, StringComparison.Ordinal);
    }

    private static StatisticsRow Row(int minute, long completed)
        => new(Noon.AddMinutes(minute), "", "", new EntryTotals { Completed = completed });
}
