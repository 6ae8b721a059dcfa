using System.Globalization;
using TaskRecovery.Schedules;

namespace TaskRecovery.Tests.Schedules;

/// <summary>What a cron expression may say, and what it then means.</summary>
public sealed class CronTextTests
{
    [Theory]
    [InlineData("*/5 9-17 * * MON-FRI", "2026-11-29 00:00:00", "2026-11-30 09:00:00")]
    [InlineData("0 22-2 * * *", "2026-11-29 02:00:00", "2026-11-29 22:00:00")]
    [InlineData("0 0 * * FRI-MON", "2026-12-01 00:00:00", "2026-12-04 00:00:00")]
    [InlineData("0 0 L * *", "2028-02-10 00:00:00", "2028-02-29 00:00:00")]
    [InlineData("0 0 L-3 * *", "2026-11-29 00:00:00", "2026-12-28 00:00:00")]
    [InlineData("0 0 15W * *", "2026-08-01 00:00:00", "2026-08-14 00:00:00")]
    [InlineData("0 0 1W * *", "2026-07-31 12:00:00", "2026-08-03 00:00:00")]
    [InlineData("0 0 LW * *", "2026-10-01 00:00:00", "2026-10-30 00:00:00")]
    [InlineData("0 0 * * 5L", "2026-11-29 00:00:00", "2026-12-25 00:00:00")]
    [InlineData("0 0 * * MON#2", "2026-11-29 00:00:00", "2026-12-14 00:00:00")]
    [InlineData("0 0 * * 0", "2026-11-30 00:00:00", "2026-12-06 00:00:00")]
    [InlineData("0 0 * * 7", "2026-11-30 00:00:00", "2026-12-06 00:00:00")]
    [InlineData("0 0 * * 7/2", "2026-11-28 12:00:00", "2026-11-29 00:00:00")]
    [InlineData("0 0 * * 7-3/2", "2026-11-28 12:00:00", "2026-11-29 00:00:00")]
    [InlineData("0 0 * * 7/7", "2026-11-30 00:00:00", "2026-12-06 00:00:00")]
    [InlineData("0 0 ? * ?", "2026-11-30 12:00:00", "2026-12-01 00:00:00")]
    [InlineData("*/20,7 * * * *", "2026-11-30 00:00:00", "2026-11-30 00:07:00")]
    [InlineData("5/10 * * * *", "2026-11-30 00:50:00", "2026-11-30 00:55:00")]
    [InlineData("*/7 * * * *", "2026-11-30 00:56:00", "2026-11-30 01:00:00")]
    [InlineData("15 30 4 * * *", "2026-11-30 00:00:00", "2026-11-30 04:30:15")]
    [InlineData("*/10 * * * * *", "2026-11-30 00:00:00", "2026-11-30 00:00:10")]
    [InlineData("0 0 29 2 *", "2026-01-01 00:00:00", "2028-02-29 00:00:00")]
    [InlineData("0 0 1 jan,Jul *", "2026-02-01 00:00:00", "2026-07-01 00:00:00")]
    [InlineData("  0   12  * * *  ", "2026-11-30 00:00:00", "2026-11-30 12:00:00")]
    [InlineData("@hourly", "2026-11-30 00:00:00", "2026-11-30 01:00:00")]
    [InlineData("@DAILY", "2026-11-30 00:00:00", "2026-12-01 00:00:00")]
    [InlineData("@weekly", "2026-11-30 00:00:00", "2026-12-06 00:00:00")]
    [InlineData("@monthly", "2026-11-30 00:00:00", "2026-12-01 00:00:00")]
    [InlineData("@yearly", "2026-11-30 00:00:00", "2027-01-01 00:00:00")]
    public void Next_run_is_the_one_that_the_expression_says(string expression, string after, string expected)
    {
        var next = CronSchedule.Parse(expression, TimeZoneInfo.Utc, "job").NextAfter(Utc(after));

        Assert.Equal(Utc(expected), next);
    }

    [Fact]
    public void Range_of_weekdays_may_go_around_the_week_and_both_0_and_7_are_Sunday()
    {
        for (var first = 0; first <= 7; first++)
        {
            for (var step = 1; step <= 7; step++)
            {
                AssertDays($"{first}/{step}", first % 7, 6, step);
                for (var last = 0; last <= 7; last++)
                {
                    // 7-7 is one day; 0-7 is the week and its end.
                    var begin = last == 7 ? first : first % 7;
                    AssertDays($"{first}-{last}/{step}", begin, begin > last ? last + 7 : last, step);
                }
            }
        }
    }

    [Theory]
    [InlineData("60 * * * *", "minute", "'60'", "character 1", "0 to 59")]
    [InlineData("0 24 * * *", "hour", "'24'", "character 3", "0 to 23")]
    [InlineData("0 0 0 * *", "day of month", "'0'", "character 5", "1 to 31")]
    [InlineData("0 0 * 13 *", "month", "'13'", "character 7", "1 to 12 or JAN to DEC")]
    [InlineData("0 0 * * 8", "day of week", "'8'", "character 9", "0 to 7 or SUN to SAT")]
    [InlineData("0 0 * * MUN", "day of week", "'M'", "character 9", "SUN to SAT")]
    [InlineData("*/0 * * * *", "minute", "'0'", "character 3", "a step from 1 to 59")]
    [InlineData("1-x * * * *", "minute", "'x'", "character 3", "0 to 59")]
    [InlineData("1, * * * *", "minute", "its end", "character 3", "0 to 59")]
    [InlineData("? 0 * * *", "minute", "'?'", "character 1", "0 to 59")]
    [InlineData("0 0 L,15 * *", "day of month", "'L,15'", "list", "a job of its own")]
    [InlineData("0 0 * * MON#6", "day of week", "'6'", "1 to 5", "'#'")]
    [InlineData("H(30-10) * * * *", "minute", "30", "10", "range of H")]
    [InlineData("99999999999 * * * *", "minute", "'99999999999'", "character 1", "0 to 59")]
    [InlineData("0 0 * * 1L,2", "day of week", "'1L,2'", "list", "stand alone")]
    public void An_expression_that_cannot_be_read_names_field_character_and_what_is_allowed(string expression, params string[] expected)
    {
        var exception = Assert.Throws<ArgumentException>(() => CronText.Parse(expression, "job"));

        Assert.All([$"'{expression}'", .. expected], part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "0 fields")]
    [InlineData("* * * *", "4 fields")]
    [InlineData("0 0 0 1 1 * 2030", "7 fields")]
    [InlineData("@never", "@hourly")]
    [InlineData("0 0 1 * MON", "two jobs")]
    [InlineData("0 0 */2 * 1-5", "two jobs")]
    public void An_expression_of_another_shape_says_what_to_write(string expression, string expected)
    {
        var exception = Assert.Throws<ArgumentException>(() => CronText.Parse(expression, "job"));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void H_is_always_the_same_for_a_job_and_spreads_jobs_over_the_hour()
    {
        var first = Enumerable.Range(0, 600).Select(job => MinuteOf("H * * * *", $"job-{job}")).ToList();
        var again = Enumerable.Range(0, 600).Select(job => MinuteOf("H * * * *", $"job-{job}")).ToList();

        Assert.Equal(first, again);
        Assert.True(first.Distinct().Count() > 55, "H leaves out many minutes.");
        Assert.All(first.GroupBy(minute => minute), minute => Assert.InRange(minute.Count(), 1, 30));
    }

    [Fact]
    public void H_keeps_to_its_range_and_to_its_step()
    {
        for (var job = 0; job < 200; job++)
        {
            var name = $"job-{job}";
            var runs = Runs("H/15 * * * *", name, 5);

            Assert.InRange(MinuteOf("H(10-19) * * * *", name), 10, 19);
            Assert.Equal([15, 15, 15, 15], runs.Zip(runs.Skip(1), (earlier, later) => (later - earlier).TotalMinutes));
        }
    }

    [Fact]
    public void H_as_day_of_month_is_a_day_that_every_month_has()
    {
        for (var job = 0; job < 200; job++)
        {
            var months = Runs("0 0 H * *", $"job-{job}", 12).Select(run => run.Month);

            Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], months.Order());
        }
    }

    private static void AssertDays(string field, int first, int last, int step)
    {
        var expected = new SortedSet<int>();
        for (var day = first; day <= last; day += step)
        {
            expected.Add(day % 7);
        }

        // 7 runs are at least one week.
        var days = Runs($"0 0 * * {field}", "job", 7).Select(static run => (int)run.DayOfWeek).Distinct().Order().ToList();
        Assert.True(expected.SequenceEqual(days), $"{field}: {string.Join(',', days)}");
    }

    private static int MinuteOf(string expression, string job) => Runs(expression, job, 1)[0].Minute;

    private static List<DateTimeOffset> Runs(string expression, string job, int count)
    {
        var schedule = CronSchedule.Parse(expression, TimeZoneInfo.Utc, job);
        var runs = new List<DateTimeOffset>();
        for (var after = Utc("2025-12-31 23:59:59"); runs.Count < count;)
        {
            after = schedule.NextAfter(after)!.Value;
            runs.Add(after);
        }

        return runs;
    }

    private static DateTimeOffset Utc(string text)
        => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
