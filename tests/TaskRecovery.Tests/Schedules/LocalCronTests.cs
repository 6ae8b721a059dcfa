using System.Globalization;
using TaskRecovery.Schedules;

namespace TaskRecovery.Tests.Schedules;

/// <summary>The search for local times, above all backwards.</summary>
public sealed class LocalCronTests
{
    [Theory]
    [InlineData("0 1 * * *", "2026-03-01T00:30", "2026-02-28T01:00")]
    [InlineData("0 1 * 3 *", "2017-03-01T00:30", "2016-03-31T01:00")] // February does not match.
    [InlineData("* 2-22 * 1,3,12 *", "2026-03-01T01:59", "2026-01-31T22:59")]
    [InlineData("0 0 30W * *", "2026-03-01T00:00", "2026-01-30T00:00")] // February has no 30th.
    [InlineData("0 0 L-30 * *", "2026-02-28T12:00", "2026-01-01T00:00")]
    [InlineData("0 0 29 2 *", "2027-01-01T00:00", "2024-02-29T00:00")]
    [InlineData("*/10 * * * * *", "2026-01-01T00:00:09", "2026-01-01T00:00:00")]
    [InlineData("0 0 1 1 *", "2026-01-01T00:00", "2026-01-01T00:00")]
    public void Last_match_up_to_a_time_matches(string expression, string until, string expected)
    {
        var latest = Cron(expression).LatestUpTo(Ticks(until));

        Assert.Equal(Ticks(expected), latest);
    }

    [Theory]
    [InlineData("* * * * *")]
    [InlineData("*/7 * * * * *")]
    [InlineData("17 * * * *")]
    [InlineData("0-9 0 1-3 1,7 *")]
    [InlineData("30 6 * * MON-FRI")]
    [InlineData("0 12 15W * *")]
    [InlineData("0 12 * * FRI#5")]
    [InlineData("0 0 L 2 *")]
    public void Backwards_finds_what_forwards_finds(string expression)
    {
        var cron = Cron(expression);
        var matches = new List<long>();
        for (var at = cron.NextAfter(Ticks("2026-02-27T22:00")); at is { } match && matches.Count < 500; at = cron.NextAfter(match))
        {
            matches.Add(match);
        }

        var backwards = new List<long>();
        for (var at = cron.LatestUpTo(matches[^1]); at is { } match && match >= matches[0]; at = cron.LatestUpTo(match - 1))
        {
            backwards.Add(match);
        }

        backwards.Reverse();
        Assert.Equal(matches, backwards);
    }

    [Fact]
    public void Without_a_match_there_is_no_last_one()
        => Assert.Null(Cron("0 0 30 2 *").LatestUpTo(Ticks("2026-01-01T00:00")));

    private static LocalCron Cron(string expression) => new(CronText.Parse(expression, "job"));

    private static long Ticks(string text) => DateTime.Parse(text, CultureInfo.InvariantCulture).Ticks;
}
