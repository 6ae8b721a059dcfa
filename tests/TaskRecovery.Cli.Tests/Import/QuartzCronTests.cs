using Quartz;
using TaskRecovery.Cli.Import;

namespace TaskRecovery.Cli.Tests.Import;

/// <summary>A translated expression has the same due times as in Quartz, or is refused.</summary>
public sealed class QuartzCronTests
{
    private static readonly DateTimeOffset Start = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0 0 6 ? * *")]
    [InlineData("0 0 6 * * ?")]
    [InlineData("0 0 6 ? * 1")]
    [InlineData("0 0 6 ? * 2-6")]
    [InlineData("0 0 6 ? * 6-2")]
    [InlineData("0 0 6 ? * MON-FRI")]
    [InlineData("0 0 6 ? * sun,7")]
    [InlineData("0 0 6 ? * 2/2")]
    [InlineData("0 0 6 ? * */3")]
    [InlineData("0 0 6 ? * 2-6/2")]
    [InlineData("0 0 6 ? * L")]
    [InlineData("0 0 6 ? * 6L")]
    [InlineData("0 0 6 ? * FRIL")]
    [InlineData("0 0 6 ? * 6#3")]
    [InlineData("0 0 6 ? * FRI#5")]
    [InlineData("0 0 6 L * ?")]
    [InlineData("0 0 6 L-3 * ?")]
    [InlineData("0 0 6 LW * ?")]
    [InlineData("0 0 6 15W * ?")]
    [InlineData("0 0 6 1,15 * ?")]
    [InlineData("0 0 6 1/10 JAN-MAR ?")]
    [InlineData("0/20 5/30 8-17/3 ? 11-2 3 *")]
    [InlineData("0 0 22-2 * * ? *")]
    public void Due_times_are_those_of_quartz(string expression)
    {
        var quartz = new CronExpression(expression, TimeZoneInfo.Utc);
        var here = new JobDefinition("job", Schedule.Cron(QuartzCron.Translate(expression)));

        var (expected, time) = (new List<DateTimeOffset>(), Start);
        while (expected.Count < 100)
        {
            time = quartz.GetNextValidTimeAfter(time)!.Value;
            expected.Add(time);
        }

        Assert.Equal(expected, here.GetRunsAfter(Start, 100));
    }

    [Theory]
    [InlineData("0 0 6 * * ? 2027", "in the field year ('2027'), '2' at character 13 is not allowed")]
    [InlineData("0 H 6 * * ?", "in the field minute ('H'), 'H' at character 3 is not allowed")]
    [InlineData("0 0 H(1-4) * * ?", "in the field hour ('H(1-4)'), 'H' at character 5 is not allowed")]
    [InlineData("0 0 6 ? * 2,8", "in the field day of week ('2,8'), '8' at character 13 is not allowed")]
    [InlineData("0 0 6 ? * 0", "in the field day of week ('0'), '0' at character 11 is not allowed")]
    [InlineData("0 6 * * ?", "has 5 fields, and Quartz has 6 or 7")]
    public void What_can_not_be_expressed_is_refused(string expression, string reason)
        => Assert.Contains(
            reason, Assert.Throws<ImportRefusedException>(() => QuartzCron.Translate(expression)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("0 0 6 L,15 * ?", "in the field day of month, 'L,15' stands in a list")]
    [InlineData("0 0 6 1 * 2", "day of month '1' and day of week '1' are both restricted")]
    [InlineData("0 0 6 15C * ?", "in the field day of month ('15C'), 'C' at character 9 is not allowed")]
    public void The_library_refuses_the_rest(string expression, string reason)
        => Assert.Contains(
            reason,
            Assert.Throws<ImportRefusedException>(
                () => PlannedSchedule.Cron(expression, QuartzCron.Translate(expression), timeZone: null)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_time_zone_that_is_not_known_is_refused()
        => Assert.Contains(
            "'Mars/Base'",
            Assert.Throws<ImportRefusedException>(() => PlannedSchedule.Cron("0 6 * * *", "0 6 * * *", "Mars/Base")).Message,
            StringComparison.Ordinal);
}
