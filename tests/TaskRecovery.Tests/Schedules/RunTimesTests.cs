using System.Globalization;
using TaskRecovery.Schedules;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Schedules;

/// <summary>Properties of the due times of a job, on random expressions, ends and exceptions.</summary>
public sealed class RunTimesTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Next_due_time_is_later_matches_and_skips_none()
    {
        var random = new Random(16);
        string[] zones = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Cairo",
            "Europe/Dublin", "Africa/Casablanca"];
        for (var round = 0; round < 300; round++)
        {
            var (expression, zone) = (RandomExpression(random), TimeZones.Get(zones[random.Next(zones.Length)]));
            var after = Start.AddMinutes(random.Next(525_600));
            var until = after.AddDays(2);
            var times = Job(Schedule.Cron(expression, zone.Id)).GetTimes();

            var runs = new List<DateTimeOffset>();
            for (var at = times.NextAfter(after, after); at is { } run && run <= until; at = times.NextAfter(run, run))
            {
                Assert.True(run > (runs.Count == 0 ? after : runs[^1]), $"{expression}: {run:O} is not later.");
                runs.Add(run);
            }

            Assert.True(
                new SlowCron(expression).Runs(after, until, zone).SequenceEqual(runs), $"{expression} in {zone.Id} after {after:O}");
            AssertBackwards(times, runs, after, until, $"{expression} in {zone.Id} after {after:O}");
        }
    }

    [Fact]
    public void Excluded_dates_take_away_the_due_times_of_those_dates_and_no_others()
    {
        var random = new Random(17);
        foreach (var id in new[] { "Europe/Berlin", "America/Santiago", "Africa/Cairo" })
        {
            var zone = TimeZones.Get(id);
            for (var round = 0; round < 40; round++)
            {
                var after = Start.AddDays(random.Next(365));
                DateOnly[] dates = [.. Enumerable.Range(0, random.Next(1, 4)).Select(
                    _ => DateOnly.FromDateTime(after.DateTime).AddDays(random.Next(5)))];
                var job = Job(Schedule.Cron("*/30 * * * *", id));

                var plain = Runs(job, after, after.AddDays(5));
                var excepted = Runs(job with { Except = ScheduleExceptions.Dates(dates) }, after, after.AddDays(5));

                Assert.Equal(
                    plain.Where(run => !dates.Contains(DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(run, zone).DateTime))), excepted);
                AssertBackwards((job with { Except = ScheduleExceptions.Dates(dates) }).GetTimes(), excepted, after, after.AddDays(5), id);
            }
        }
    }

    [Theory]
    [InlineData("* 12-13 * * *", "*/10 * * * * *")]
    [InlineData("* * * * SAT,SUN", "*/30 * * * *")]
    [InlineData("* * 2-4 3 *", "0 * * * *")]
    [InlineData("0-29 * * * * *", "*/7 * * * * *")]
    [InlineData("*/2 * * * *", "* * * * *")]
    public void Excluded_expression_takes_away_the_due_times_that_it_matches(string excluded, string expression)
    {
        var job = Job(Schedule.Cron(expression));
        var matches = CronSchedule.Parse(excluded, TimeZoneInfo.Utc, "job");
        var unit = excluded.Split(' ').Length == 6 ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMinute;

        var plain = Runs(job, Start, Start.AddDays(3));
        var excepted = Runs(job with { Except = ScheduleExceptions.Cron(excluded) }, Start, Start.AddDays(3));

        Assert.Equal(
            plain.Where(run => !matches.Matches(new DateTimeOffset(run.UtcTicks - (run.UtcTicks % unit), TimeSpan.Zero))), excepted);
        Assert.NotEqual(plain.Count, excepted.Count);
        AssertBackwards((job with { Except = ScheduleExceptions.Cron(excluded) }).GetTimes(), excepted, Start, Start.AddDays(3), excluded);
    }

    [Theory]
    [InlineData("30 2 * * *", "2026-03-28 12:00", "2026-03-29 01:00,2026-03-30 00:30")] // 2:30 is skipped: at the end of the gap
    [InlineData("30 2 * * *", "2026-10-24 12:00", "2026-10-25 00:30,2026-10-26 01:30")] // 2:30 comes twice: the first time
    [InlineData("30 2-2 * * *", "2026-10-24 12:00", "2026-10-25 00:30,2026-10-25 01:30,2026-10-26 01:30")] // a range: both times
    public void Range_over_a_change_of_the_clocks_has_the_due_times_of_a_job_that_runs(string expression, string from, string expected)
    {
        var begin = Utc(from);
        var end = begin.AddHours(38);
        var job = Job(Schedule.Cron(expression, "Europe/Berlin"));

        var dues = job.GetTimes().Between(begin, end, end, 100);

        Assert.Equal(expected.Split(',').Select(Utc), dues);
        Assert.Equal(Runs(job, begin, end), dues);
    }

    [Fact]
    public void Interval_keeps_its_grid_over_excluded_dates()
    {
        var job = Job(Schedule.Every(TimeSpan.FromHours(7))) with { Except = ScheduleExceptions.Dates(new DateOnly(2026, 3, 2)) };

        var next = job.GetTimes().NextAfter(Start.AddHours(7), Start);

        Assert.Equal(Start.AddHours(7), job.GetTimes().NextAfter(Start, Start));
        Assert.Equal(Start.AddHours(42), next);
    }

    [Theory]
    [InlineData("* * * * *")]
    [InlineData("@every_second")]
    [InlineData("* * * * * *")]
    public void Exceptions_that_leave_no_run_are_noticed_in_a_moment(string excluded)
    {
        var job = Job(Schedule.Cron("* * * * * *")) with { Except = ScheduleExceptions.Cron(excluded) };

        Assert.Null(job.GetTimes().NextAfter(Start, Start));
    }

    [Theory]
    [InlineData("* * * 7 *")]
    [InlineData("* * * * 7 *")]
    [InlineData("*/1 0-59 0-23 * JUL *")]
    [InlineData("0-59 * * * 7 *")]
    public void Excluded_month_ends_with_the_month(string excluded)
    {
        Schedule[] schedules = [Schedule.Cron("*/10 * * * *"), Schedule.Cron("* * * * * *"), Schedule.Every(TimeSpan.FromMinutes(10))];
        foreach (var schedule in schedules)
        {
            var times = (Job(schedule) with { Except = ScheduleExceptions.Cron(excluded) }).GetTimes();
            var last = new DateTimeOffset(2026, 6, 30, 23, 59, 59, TimeSpan.Zero);
            var grid = last.AddMinutes(-9).AddSeconds(-59);

            Assert.Equal(new DateTimeOffset(2026, 8, 1, 0, 0, 0, TimeSpan.Zero), times.NextAfter(last, grid));
            Assert.InRange(times.LatestUpTo(new DateTimeOffset(2026, 7, 31, 0, 0, 0, TimeSpan.Zero), grid)!.Value, grid, last);
        }
    }

    [Fact]
    public void Search_that_is_given_up_is_a_problem_and_not_the_end()
    {
        var job = Job(Schedule.Cron("0-30 * * * * *")) with { Except = ScheduleExceptions.Cron("0-40 * * * * *") };
        var times = job.GetTimes();

        var problem = Assert.Throws<ArgumentException>(() => times.NextAfter(Start, Start));

        Assert.Contains("'0-40 * * * * *'", problem.Message, StringComparison.Ordinal);
        Assert.True(UnplannableJob.IsProblem(problem));
        Assert.Throws<ArgumentException>(() => times.LatestUpTo(Start, Start.AddYears(-1)));
        Assert.False(times.TryNextAfter(Start, Start, out _));
    }

    private static DateTimeOffset Utc(string text)
        => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static JobTiming Job(Schedule schedule) => new() { Name = "job", State = JobState.Active, Schedule = schedule };

    private static List<DateTimeOffset> Runs(JobTiming job, DateTimeOffset after, DateTimeOffset until)
    {
        var times = job.GetTimes();
        var runs = new List<DateTimeOffset>();
        for (var at = times.NextAfter(after, after); at is { } run && run <= until; at = times.NextAfter(run, run))
        {
            runs.Add(run);
        }

        return runs;
    }

    private static void AssertBackwards(RunTimes times, List<DateTimeOffset> runs, DateTimeOffset after, DateTimeOffset until, string what)
    {
        var backwards = new List<DateTimeOffset>();
        for (var at = times.LatestUpTo(until, after.AddTicks(1)); at is { } run
            && run > after.AddTicks(1); at = times.LatestUpTo(run.AddTicks(-1), after.AddTicks(1)))
        {
            backwards.Add(run);
        }

        backwards.Reverse();
        Assert.True(runs.SequenceEqual(backwards), what);
    }

    private static string RandomExpression(Random random)
    {
        return string.Join(
            ' ', Field(0, 59), Field(0, 23), random.Next(4) == 0 ? Field(1, 28) : "*", random.Next(6) == 0 ? Field(1, 12) : "*", "*");

        string Field(int least, int most)
        {
            var first = random.Next(least, most + 1);
            var last = random.Next(first, most + 1);
            return random.Next(6) switch
            {
                0 => "*",
                1 => string.Create(CultureInfo.InvariantCulture, $"*/{random.Next(1, most)}"),
                2 => string.Create(CultureInfo.InvariantCulture, $"{first}-{last}"),
                3 => string.Create(CultureInfo.InvariantCulture, $"{first}-{last}/{random.Next(1, 9)}"),
                4 => string.Create(CultureInfo.InvariantCulture, $"{least},{first},{last}"),
                _ => first.ToString(CultureInfo.InvariantCulture),
            };
        }
    }
}
