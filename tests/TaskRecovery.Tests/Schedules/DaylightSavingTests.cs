using System.Globalization;
using TaskRecovery.Schedules;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Schedules;

/// <summary>Every minute of the two days around each change of the clocks in a year, against the slow and obvious way.</summary>
public sealed class DaylightSavingTests
{
    public static TheoryData<string> Zones =>
    [
        "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
        "Europe/Dublin", "Africa/Casablanca", // In these two, summer time is the standard time.
    ];

    [Theory]
    [MemberData(nameof(Zones))]
    public void Runs_around_a_change_of_the_clocks_are_those_of_the_slow_way(string id)
    {
        var zone = TimeZones.Find(id)!;
        var changes = Changes(zone, 2026);

        Assert.Equal(2, changes.Count);
        foreach (var change in changes)
        {
            foreach (var expression in Expressions())
            {
                var (after, until) = (change.AddDays(-1), change.AddDays(1));
                var expected = new SlowCron(expression).Runs(after, until, zone);

                Assert.Equal(expected, Runs(expression, zone, after, until));
                Assert.Equal(expected, RunsBackwards(expression, zone, after, until));
            }
        }
    }

    [Theory]
    [InlineData("0 0 * * *", "2026-04-23T22:10Z", "2026-04-23T22:00Z")] // 00:00 does not exist: at 01:00.
    [InlineData("0 0 * * *", "2026-04-23T21:59:59Z", "2026-04-22T22:00Z")]
    [InlineData("30 23 * * *", "2026-10-29T21:40Z", "2026-10-29T20:30Z")] // 23:30 comes twice: the first.
    [InlineData("30,45 23 * * *", "2026-10-29T21:40Z", "2026-10-29T20:45Z")]
    [InlineData("0 0 1 1 *", "2026-08-01T00:00Z", "2025-12-31T22:00Z")] // A change of the clocks is in between.
    public void The_last_run_up_to_a_time_is_found(string expression, string until, string expected)
    {
        var latest = CronSchedule.Parse(expression, TimeZones.Get("Africa/Cairo"), "job").LatestUpTo(Time(until));

        Assert.Equal(Time(expected), latest);
    }

    [Theory]
    [InlineData("Europe/Berlin", "30 2 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z")] // 02:30 does not exist: at 03:00.
    [InlineData("Europe/Berlin", "30 2 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z")] // 02:30 comes twice: the first.
    [InlineData("Europe/Berlin", "30 2 * * *", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    [InlineData("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00Z", "2026-10-03T15:30Z")] // A gap of half an hour: at 02:30.
    [InlineData("America/Santiago", "0 0 * * *", "2026-09-05T12:00Z", "2026-09-06T04:00Z")] // The gap is at midnight: at 01:00.
    [InlineData("Europe/Dublin", "30 1 * * *", "2026-03-28T12:00Z", "2026-03-29T01:00Z")] // 01:30 does not exist: at 02:00.
    [InlineData("Europe/Dublin", "30 1 * * *", "2026-03-29T01:00Z", "2026-03-30T00:30Z")]
    [InlineData("Europe/Dublin", "30 1 * * *", "2026-10-24T12:00Z", "2026-10-25T00:30Z")] // 01:30 comes twice: the first.
    [InlineData("Europe/Dublin", "30 1 * * *", "2026-10-25T00:30Z", "2026-10-26T01:30Z")]
    [InlineData("Africa/Casablanca", "30 2 * * *", "2026-02-14T12:00Z", "2026-02-15T01:30Z")] // Ramadan begins: 02:30 comes twice.
    [InlineData("Africa/Casablanca", "30 2 * * *", "2026-03-21T12:00Z", "2026-03-22T02:00Z")] // It ends: 02:30 does not exist.
    [InlineData("Pacific/Apia", "30 2 * * *", "2011-12-29T14:00Z", "2011-12-30T10:00Z")] // A day does not exist: at its end.
    public void A_fixed_time_runs_once_on_a_day_on_which_the_clocks_change(string zone, string expression, string after, string expected)
    {
        var next = CronSchedule.Parse(expression, TimeZones.Find(zone)!, "job").NextAfter(Time(after));

        Assert.Equal(Time(expected), next);
    }

    [Theory]
    [MemberData(nameof(Zones))]
    public void The_run_after_a_planned_one_is_later(string id)
    {
        var zone = TimeZones.Find(id)!;
        var rules = new MissedRunRules(MissedRunPolicy.RunOnce, null, 100, null, DateTimeOffset.UnixEpoch);
        foreach (var change in Changes(zone, 2026))
        {
            foreach (var expression in Expressions())
            {
                var schedule = Schedule.Cron(expression, id);
                var job = new JobTiming { Name = "job", State = JobState.Active, Schedule = schedule, IsPlanned = true };
                foreach (var due in Runs(expression, zone, change.AddHours(-4), change.AddHours(4)))
                {
                    var next = MissedRuns.Plan(job with { NextRunAt = due }, rules, due.AddMinutes(1)).Next;

                    Assert.True(next > due, $"{expression} in {id}: {next:O} after {due:O}");
                }
            }
        }
    }

    [Theory]
    [InlineData("0 0 1 1 *", "2026-06-01T00:00Z", "2027-01-01T00:00Z")] // Two changes of the clocks are in between.
    [InlineData("30 1-1 25 10 *", "2026-10-25T00:30Z", "2026-10-25T01:30Z")] // The second time is not lost to the next year.
    [InlineData("30 1-1 25 10 *", "2026-10-25T01:30Z", "2027-10-25T00:30Z")]
    [InlineData("30 1 25 10 *", "2025-11-01T00:00Z", "2026-10-25T00:30Z")] // The first of two, a year later.
    [InlineData("30 1 29 3 *", "2025-04-01T00:00Z", "2026-03-29T01:00Z")] // A gap, a year later.
    public void Run_that_is_far_away_is_found(string expression, string after, string expected)
    {
        var next = CronSchedule.Parse(expression, TimeZones.Get("Europe/Dublin"), "job").NextAfter(Time(after));

        Assert.Equal(Time(expected), next);
    }

    [Theory]
    [InlineData("Europe/Berlin", "17 * * * *", "2026-03-29T00:17Z", "2026-03-29T01:17Z")] // 02:17 does not exist: at 03:17.
    [InlineData("Europe/Berlin", "7-59/10 * * * *", "2026-03-29T00:57Z", "2026-03-29T01:07Z")]
    [InlineData("Europe/Berlin", "30 1-3 * * *", "2026-03-29T00:30Z", "2026-03-29T01:30Z")]
    [InlineData("Europe/Berlin", "30 1,2,3 * * *", "2026-03-29T00:30Z", "2026-03-29T01:30Z")]
    [InlineData("Europe/Berlin", "30 2-4 * * *", "2026-03-28T03:30Z", "2026-03-29T01:00Z")] // Nothing runs before the gap: at 03:00.
    [InlineData("Europe/Berlin", "17 */2 * * *", "2026-03-28T23:17Z", "2026-03-29T01:00Z")] // 00:17, 03:00, 04:17.
    [InlineData("Europe/Berlin", "*/10 2 * * *", "2026-03-28T01:50Z", "2026-03-29T01:00Z")]
    [InlineData("Europe/Dublin", "17 * * * *", "2026-03-29T00:17Z", "2026-03-29T01:17Z")]
    [InlineData("Australia/Lord_Howe", "15 * * * *", "2026-10-03T14:45Z", "2026-10-03T15:30Z")] // 01:15, 02:30, 03:15.
    public void A_run_at_the_end_of_a_gap_is_for_schedules_that_would_wait_for_over_an_hour(
        string id, string expression, string after, string expected)
    {
        var schedule = CronSchedule.Parse(expression, TimeZones.Get(id), "job");

        Assert.Equal(Time(expected), schedule.NextAfter(Time(after)));
        Assert.Equal(Time(expected), schedule.LatestUpTo(Time(expected)));
        Assert.Equal(Time(after), schedule.LatestUpTo(Time(expected).AddTicks(-1)));
    }

    [Fact]
    public void Steps_run_through_the_hour_that_comes_twice()
    {
        var zone = TimeZones.Find("Europe/Berlin")!;

        var runs = Runs("*/30 * * * *", zone, Time("2026-10-24T23:59Z"), Time("2026-10-25T02:00Z"));

        Assert.Equal(5, runs.Count);
    }

    [Theory]
    [InlineData("Europe/Nowhere")]
    [InlineData("CET+1")]
    public void An_unknown_zone_is_refused_with_its_name_and_the_cure(string id)
    {
        var exception = Assert.Throws<TimeZoneNotFoundException>(() => TimeZones.Check(id));

        Assert.Contains($"'{id}'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("tzdata", exception.Message, StringComparison.Ordinal);
    }

    // Fixed times around every hour at which clocks change, and steps and ranges.
    private static IEnumerable<string> Expressions()
    {
        foreach (var hour in (int[])[0, 1, 2, 3, 23])
        {
            foreach (var minute in (int[])[0, 15, 30, 45, 59])
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"{minute} {hour} * * *");
            }
        }

        string[] others = ["* * * * *", "*/7 * * * *", "0 * * * *", "30 0-3 * * *", "0,30 2 * * *",
            "0 1,2,3 * * *", "*/10 2 * * *", "5 */2 * * *", "17 * * * *", "50 1-3 * * *", "30 2-4 * * *", "0 12 * * *", "15 2 * * 0"];
        foreach (var expression in others)
        {
            yield return expression;
        }
    }

    private static List<DateTimeOffset> Runs(string expression, TimeZoneInfo zone, DateTimeOffset after, DateTimeOffset until)
    {
        var schedule = CronSchedule.Parse(expression, zone, "job");
        var runs = new List<DateTimeOffset>();
        for (var at = schedule.NextAfter(after); at is { } run && run <= until; at = schedule.NextAfter(run))
        {
            Assert.True(runs.Count == 0 || run > runs[^1], "A next run is strictly later.");
            runs.Add(run);
        }

        return runs;
    }

    private static List<DateTimeOffset> RunsBackwards(string expression, TimeZoneInfo zone, DateTimeOffset after, DateTimeOffset until)
    {
        var schedule = CronSchedule.Parse(expression, zone, "job");
        var runs = new List<DateTimeOffset>();
        for (var at = schedule.LatestUpTo(until); at is { } run && run > after; at = schedule.LatestUpTo(run.AddTicks(-1)))
        {
            Assert.True(runs.Count == 0 || run < runs[^1], "A run before a time is strictly earlier.");
            runs.Add(run);
        }

        runs.Reverse();
        return runs;
    }

    private static List<DateTimeOffset> Changes(TimeZoneInfo zone, int year)
    {
        var changes = new List<DateTimeOffset>();
        var end = new DateTimeOffset(year + 1, 1, 1, 0, 0, 0, TimeSpan.Zero);
        for (var at = new DateTimeOffset(year, 1, 1, 0, 0, 0, TimeSpan.Zero); at < end; at = at.AddMinutes(30))
        {
            if (zone.GetUtcOffset(at) != zone.GetUtcOffset(at.AddMinutes(-30)))
            {
                changes.Add(at);
            }
        }

        return changes;
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
