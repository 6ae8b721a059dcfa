using System.Globalization;

namespace TaskRecovery.Tests.Schedules;

/// <summary>Occurrences that the tests and the documentation of other implementations of cron publish: robfig/cron, Spring Framework and
/// Quartz. Where those implementations differ from each other (both days restricted, daylight saving time), nothing is taken.</summary>
public sealed class PublishedOccurrencesTests
{
    [Theory] // robfig/cron, spec_test.go
    [InlineData("0 0/15 * * * *", "2012-07-09 14:45", "2012-07-09 15:00")]
    [InlineData("0 0/15 * * * *", "2012-07-09 14:59", "2012-07-09 15:00")]
    [InlineData("0 0/15 * * * *", "2012-07-09 14:59:59", "2012-07-09 15:00")]
    [InlineData("0 20-35/15 * * * *", "2012-07-09 15:45", "2012-07-09 16:20")]
    [InlineData("0 */15 * * * *", "2012-07-09 23:46", "2012-07-10 00:00")]
    [InlineData("0 20-35/15 * * * *", "2012-07-09 23:45", "2012-07-10 00:20")]
    [InlineData("15/35 20-35/15 * * * *", "2012-07-09 23:35:51", "2012-07-10 00:20:15")]
    [InlineData("15/35 20-35/15 1/2 * * *", "2012-07-09 23:35:51", "2012-07-10 01:20:15")]
    [InlineData("15/35 20-35/15 10-12 * * *", "2012-07-09 23:35:51", "2012-07-10 10:20:15")]
    [InlineData("15/35 20-35/15 1/2 */2 * *", "2012-07-09 23:35:51", "2012-07-11 01:20:15")]
    [InlineData("15/35 20-35/15 * 9-20 * *", "2012-07-09 23:35:51", "2012-07-10 00:20:15")]
    [InlineData("15/35 20-35/15 * 9-20 Jul *", "2012-07-09 23:35:51", "2012-07-10 00:20:15")]
    [InlineData("0 0 0 9 Apr-Oct ?", "2012-07-09 23:35", "2012-08-09 00:00")]
    [InlineData("0 0 0 * Feb Mon", "2012-07-09 23:35", "2013-02-04 00:00")]
    [InlineData("0 0 0 * Feb Mon/2", "2012-07-09 23:35", "2013-02-01 00:00")]
    [InlineData("0 * * * * *", "2012-12-31 23:59:45", "2013-01-01 00:00:00")]
    [InlineData("0 0 0 29 Feb ?", "2012-07-09 23:35", "2016-02-29 00:00")]
    [InlineData("0 30 08 ? Jul Sun", "2012-07-15 08:29:59", "2012-07-15 08:30")]
    [InlineData("0 30 08 15 Jul ?", "2012-07-15 08:29:59", "2012-07-15 08:30")]
    [InlineData("@hourly", "2012-07-09 14:59:59", "2012-07-09 15:00")]
    [InlineData("@daily", "2012-07-08 23:59:59", "2012-07-09 00:00")]
    [InlineData("@weekly", "2012-07-07 23:59:59", "2012-07-08 00:00")]
    [InlineData("@monthly", "2012-06-30 23:59:59", "2012-07-01 00:00")]
    public void Occurrences_of_robfig_cron(string expression, string after, string expected) => AssertRuns(expression, after, expected);

    [Theory] // spring-framework, CronExpressionTests.java
    [InlineData("0 0 0 L * *", "2008-01-04", "2008-01-31", "2008-02-29", "2008-03-31", "2008-04-30")]
    [InlineData("0 0 0 L-3 * *", "2008-01-04", "2008-01-28", "2008-02-26", "2008-03-28", "2008-04-27")]
    [InlineData(
        "0 0 0 LW * *", "2008-01-04", "2008-01-31", "2008-02-29", "2008-03-31", "2008-04-30",
        "2008-05-30", "2008-06-30", "2008-07-31", "2008-08-29", "2008-09-30", "2008-10-31",
        "2008-11-28", "2008-12-31")]
    [InlineData(
        "0 0 0 * * 5L", "2008-01-04", "2008-01-25", "2008-02-29", "2008-03-28", "2008-04-25",
        "2008-05-30", "2008-06-27", "2008-07-25", "2008-08-29", "2008-09-26", "2008-10-31",
        "2008-11-28", "2008-12-26")]
    [InlineData("0 0 0 15W * ?", "2020-01-01", "2020-01-15", "2020-02-14", "2020-03-16", "2020-04-15")]
    [InlineData("0 0 0 1W * ?", "2019-12-31", "2020-01-01", "2020-02-03", "2020-03-02", "2020-04-01")]
    [InlineData("0 30 23 30 1/3 ?", "2010-12-30", "2011-01-30 23:30", "2011-04-30 23:30", "2011-07-30 23:30")]
    public void Occurrences_of_Spring(string expression, string after, params string[] expected) => AssertRuns(expression, after, expected);

    [Theory] // the Quartz tutorial's examples, in the words of their explanations
    [InlineData("0 0 12 * * ?", "2026-01-01 12:00", "2026-01-02 12:00")] // 12pm every day
    [InlineData("0 15 10 ? * *", "2026-01-01", "2026-01-01 10:15")] // 10:15am every day
    [InlineData("0 * 14 * * ?", "2026-01-01 14:58:30", "2026-01-01 14:59", "2026-01-02 14:00")] // every minute from 2pm to 2:59pm
    [InlineData("0 0/5 14 * * ?", "2026-01-01 14:50", "2026-01-01 14:55", "2026-01-02 14:00")]
    [InlineData("0 0/5 14,18 * * ?", "2026-01-01 14:55", "2026-01-01 18:00")]
    [InlineData("0 0-5 14 * * ?", "2026-01-01 14:04", "2026-01-01 14:05", "2026-01-02 14:00")]
    [InlineData("0 10,44 14 ? 3 WED", "2026-01-01", "2026-03-04 14:10", "2026-03-04 14:44", "2026-03-11 14:10")] // every Wednesday in March
    [InlineData("0 15 10 ? * MON-FRI", "2026-01-02 10:15", "2026-01-05 10:15")] // Monday to Friday
    [InlineData("0 15 10 15 * ?", "2026-01-01", "2026-01-15 10:15", "2026-02-15 10:15")]
    [InlineData("0 15 10 L * ?", "2026-01-01", "2026-01-31 10:15", "2026-02-28 10:15")] // the last day of every month
    [InlineData("0 15 10 L-2 * ?", "2026-01-01", "2026-01-29 10:15", "2026-02-26 10:15")] // the second to last day
    // the last Friday; Quartz counts days from 1 = SUN, so by name
    [InlineData("0 15 10 ? * FRIL", "2026-01-01", "2026-01-30 10:15", "2026-02-27 10:15")]
    [InlineData("0 15 10 ? * FRI#3", "2026-01-01", "2026-01-16 10:15", "2026-02-20 10:15")] // the third Friday
    [InlineData("0 0 12 1/5 * ?", "2026-01-01 12:00", "2026-01-06 12:00", "2026-01-11 12:00")] // every 5 days, from the first day
    [InlineData("0 11 11 11 11 ?", "2026-01-01", "2026-11-11 11:11", "2027-11-11 11:11")] // every November 11th at 11:11am
    public void Occurrences_of_the_Quartz_tutorial(string expression, string after, params string[] expected)
        => AssertRuns(expression, after, expected);

    [Theory] // robfig/cron: unsatisfiable
    [InlineData("0 0 0 30 Feb ?")]
    [InlineData("0 0 0 31 Apr ?")]
    public void Expression_of_a_date_that_does_not_exist_has_no_occurrence(string expression)
        => Assert.Null(Schedule.Cron(expression).NextAfter(Time("2012-07-09 23:35")));

    private static void AssertRuns(string expression, string after, params string[] expected)
    {
        var schedule = Schedule.Cron(expression);
        var at = Time(after);
        foreach (var run in expected)
        {
            at = schedule.NextAfter(at)!.Value;
            Assert.Equal(Time(run), at);
        }
    }

    private static DateTimeOffset Time(string text)
        => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
