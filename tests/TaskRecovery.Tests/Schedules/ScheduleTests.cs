using TaskRecovery.Schedules;
using TaskRecovery.Storage;

namespace TaskRecovery.Tests.Schedules;

public sealed class ScheduleTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(long.MinValue, 1.0)]
    [InlineData(0L, 1.0)]
    [InlineData(50_000_000L, 5.0)]
    [InlineData(long.MaxValue, 36_500 * 86_400.0)]
    public void Stored_interval_of_any_length_is_read(long ticks, double seconds)
        => Assert.Equal(TimeSpan.FromSeconds(seconds), StoredSchedule.Read(new TimeSpan(ticks), null, null, null).Interval);

    [Fact]
    public void Schedule_knows_its_next_due_time()
    {
        Assert.Equal(Now.AddMinutes(5), Schedule.Every(TimeSpan.FromMinutes(5)).NextAfter(Now));
        Assert.Equal(Now.AddMinutes(5), Schedule.Once(Now.AddMinutes(5)).NextAfter(Now));
        Assert.Null(Schedule.Once(Now).NextAfter(Now));
        Assert.Equal(Now.AddHours(14), Schedule.Cron("0 1 * * *", "Europe/Berlin").NextAfter(Now));
    }

    [Fact]
    public void H_gets_its_value_from_the_name_of_the_job()
        => Assert.True(
            Enumerable.Range(0, 50).Select(job => Schedule.Cron("H * * * *").NextAfter(Now, $"job {job}")).Distinct().Count() > 20);

    [Fact]
    public void Schedules_are_equal_if_they_say_the_same()
    {
        Assert.Equal(Schedule.Cron("*/5  * * * *"), Schedule.Cron(" */5 * * * * ", "utc"));
        Assert.NotEqual(Schedule.Cron("*/5 * * * *"), Schedule.Cron("*/5 * * * *", "Europe/Berlin"));
        Assert.Equal("cron */5 * * * * in Europe/Berlin", Schedule.Cron("*/5 * * * *", "Europe/Berlin").ToString());
        Assert.Equal("cron @hourly", Schedule.Cron("@hourly").ToString());
        Assert.Equal(ScheduleExceptions.Dates(new DateOnly(2026, 12, 26), new DateOnly(2026, 12, 25)), ScheduleExceptions.Dates(
            new DateOnly(2026, 12, 25), new DateOnly(2026, 12, 26)));
    }

    [Fact]
    public void Bad_input_is_refused_at_the_call()
    {
        Assert.Contains("'61'", Assert.Throws<ArgumentException>(() => Schedule.Cron("61 * * * *")).Message, StringComparison.Ordinal);
        Assert.Contains("'Mars/Base'", Assert.Throws<TimeZoneNotFoundException>(
            () => Schedule.Cron("* * * * *", "Mars/Base")).Message, StringComparison.Ordinal);
        Assert.Contains("0 dates", Assert.Throws<ArgumentException>(() => ScheduleExceptions.Dates()).Message, StringComparison.Ordinal);
        Assert.Contains(
            "'x'", Assert.Throws<ArgumentException>(() => ScheduleExceptions.Cron("* * * * x")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(
            () => ScheduleExceptions.Dates(Enumerable.Range(0, 1_001).Select(day => new DateOnly(2026, 1, 1).AddDays(day))));
    }

    [Fact]
    public void A_stored_date_that_was_edited_by_hand_is_named()
    {
        var problem = Assert.Throws<ArgumentException>(() => new RunTimes(
            "x", Schedule.Every(TimeSpan.FromHours(1)), null, null, ScheduleExceptions.FromStored("2026-12-25,2026-13-01")));

        Assert.Contains("'2026-13-01'", problem.Message, StringComparison.Ordinal);
    }
}
