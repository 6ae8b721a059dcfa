using TaskRecovery.Dashboard.Pages;

namespace TaskRecovery.Dashboard.Tests.Pages;

/// <summary>Schedules in words.</summary>
public sealed class ScheduleTextTests
{
    [Theory]
    [InlineData("* * * * *", "every minute")]
    [InlineData("*/5 * * * *", "every 5 minutes")]
    [InlineData("0 */5 * * * *", "every 5 minutes")]
    [InlineData("*/10 * * * * *", "every 10 seconds")]
    [InlineData("@hourly", "every hour")]
    [InlineData("15 * * * *", "every hour at minute 15")]
    [InlineData("0 */6 * * *", "every 6 hours")]
    [InlineData("30 6 * * *", "every day at 06:30 (UTC)")]
    [InlineData("0 6,18 * * *", "every day at 06:00 and 18:00 (UTC)")]
    [InlineData("30 6 * * MON-FRI", "Monday to Friday at 06:30 (UTC)")]
    [InlineData("30 6 * * 1,3,7", "Monday, Wednesday and Sunday at 06:30 (UTC)")]
    [InlineData("*/15 * * * 1-5", "every 15 minutes, Monday to Friday (UTC)")]
    [InlineData("0 3 1 * *", "on day 1 of the month at 03:00 (UTC)")]
    [InlineData("0 3 L * *", "on the last day of the month at 03:00 (UTC)")]
    [InlineData("@yearly", "every year on January 1 at 00:00 (UTC)")]
    [InlineData("0 0 28 2 *", "every year on February 28 at 00:00 (UTC)")]
    [InlineData("0 0 29 2 *", "on February 29 in leap years at 00:00 (UTC)")]
    public void A_common_cron_expression_is_in_words(string expression, string expected)
        => Assert.Equal(expected, ScheduleText.Of(Schedule.Cron(expression)));

    [Theory]
    [InlineData("*/7 * * * *")]
    [InlineData("0 */5 * * *")]
    [InlineData("H 3 * * *")]
    [InlineData("0 9-17 * * *")]
    [InlineData("0 3 15W * *")]
    [InlineData("0 3 * * MON#2")]
    [InlineData("0 3 * 1-6 *")]
    [InlineData("30 0 6 * * *")]
    public void Any_other_one_is_shown_as_it_is(string expression)
        => Assert.Equal($"cron {expression}", ScheduleText.Of(Schedule.Cron(expression)));

    [Theory]
    [InlineData("30 6 * * MON-FRI", "Monday to Friday at 06:30 (Europe/Berlin)")]
    [InlineData("*/5 * * * *", "every 5 minutes (Europe/Berlin)")]
    [InlineData("*/7 * * * *", "cron */7 * * * * in Europe/Berlin")]
    public void The_time_zone_is_named(string expression, string expected)
        => Assert.Equal(expected, ScheduleText.Of(Schedule.Cron(expression, "Europe/Berlin")));
}
